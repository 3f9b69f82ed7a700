"""Interfaces that the core needs from outside, in domain words. Their docstrings are the contracts."""
