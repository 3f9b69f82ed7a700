"""Provisions, inspects and removes the whole route."""
