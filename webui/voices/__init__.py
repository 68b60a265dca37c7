"""The voice library: voices that people made and keep, and the consent of whom they were made from."""
