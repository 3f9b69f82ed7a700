"""Speech engines: what they have in common, and one module each."""
