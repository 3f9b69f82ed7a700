"""What the core needs from outside, in domain words. The docstrings are the contracts."""
