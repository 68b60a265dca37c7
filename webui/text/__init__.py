"""Text: its script and language, how it is spoken, how it is written."""
