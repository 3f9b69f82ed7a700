"""Readable text from raw transcripts."""
