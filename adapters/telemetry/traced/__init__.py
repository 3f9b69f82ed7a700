"""Decorators of ports that record a span for each piece of work."""
