"""Logging of the process, for tests that configure it."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def logging_as_it_was() -> Iterator[None]:
    """Restore the root logger, and the levels of the loggers that are kept quiet."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    known = tuple(logging.Logger.manager.loggerDict.values())  # at once: a thread may be adding one
    loggers = [logger for logger in known if isinstance(logger, logging.Logger)]
    levels = {logger: logger.level for logger in loggers}
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        for logger, was in levels.items():
            if logger.level != was:  # setting one empties the caches of all of them, thousands of times a run
                logger.setLevel(was)
