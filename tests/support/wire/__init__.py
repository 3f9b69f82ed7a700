"""Requests as bytes, and what the service answers to them: the rows of docs/http.md."""
