"""Adapters that find the caller of a request."""
