"""What a person does, as plain functions and generators that a script could call."""
