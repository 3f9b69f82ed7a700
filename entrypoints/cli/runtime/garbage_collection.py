"""Garbage collection of a command: rare, and not through the modules that stay to the end."""

import atexit
import gc

THRESHOLDS = (10_000, 50, 100)
"""Imports create many objects and no garbage; Python's own thresholds make collections a sixth of a start."""


def collect_rarely() -> None:
    """Collect seldom from now on, and leave out what is loaded when the process ends."""
    gc.set_threshold(*THRESHOLDS)
    atexit.register(gc.freeze)
