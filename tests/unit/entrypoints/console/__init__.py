"""Files of the console."""
