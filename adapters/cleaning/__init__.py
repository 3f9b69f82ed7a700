"""Transcript cleaning: readable text from raw transcripts."""
