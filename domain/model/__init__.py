"""Frozen values and pure functions: the event contract, identity, transcripts, errors."""
