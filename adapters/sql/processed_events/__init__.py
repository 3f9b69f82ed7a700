"""Deduplication of consumed events, in a database."""
