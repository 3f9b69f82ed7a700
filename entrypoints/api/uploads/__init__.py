"""Uploads: read while they arrive, and stored on disk while they are processed."""
