"""Uploads: read as they come, and kept on disk while they are worked on."""
