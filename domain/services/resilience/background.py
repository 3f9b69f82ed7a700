"""Error handling of background work: unexpected errors are logged, and the work goes on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def logging_exceptions(message: str, *, reraise: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Log an unexpected error with its stack trace instead of raising it, so that no background thread ends.

    Every error is logged, so a loop has to wait before it goes on. Expected errors, those in `reraise`, are
    raised unchanged.
    """
    try:
        yield
    except reraise:
        raise
    except Exception as error:
        logger.exception(message, extra={"error_type": type(error).__name__})


@contextmanager
def logging_outages(message: str, outages: tuple[type[Exception], ...], *, unexpected: str) -> Iterator[None]:
    """Log an outage in one line, and another error with its stack trace and the message `unexpected`."""
    with logging_exceptions(unexpected):
        try:
            yield
        except outages as error:
            logger.warning(message, extra={"error": str(error)})
