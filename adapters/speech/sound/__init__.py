"""Sound between decoder and engine: numbers only, of no library for media and of no engine."""
