"""Speech engines: their protocol, and one module for each."""
