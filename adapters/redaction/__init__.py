"""Redactors: what finds personal data in transcripts."""
