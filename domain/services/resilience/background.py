"""What the work in the background does about its own defects: it tells them, and goes on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def logging_exceptions(message: str, *, reraise: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Let what breaks down end nothing but itself: a thread that ended would be missed by nobody.

    The trace is logged each time, so whoever goes on has to rest first.

    Args:
        message: what to log, such as "housekeeping broke down".
        reraise: what is no defect, and raised as ever.
    """
    try:
        yield
    except reraise:
        raise
    except Exception as error:
        logger.exception(message, extra={"error_type": type(error).__name__})
