"""Time limits of operators' calls to AWS, in a module that does not import the SDK."""

DEFAULT_TIMEOUT_SECONDS = 30.0
MAX_TIMEOUT_SECONDS = 300.0

TRIES = 3
"""Tries of one call, which share its time."""

MAX_CONNECT_SECONDS = 3.0
