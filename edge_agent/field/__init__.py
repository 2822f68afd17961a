"""What a technician runs on a terminal: checking a settings file, examining every part."""
