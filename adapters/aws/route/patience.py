"""Trying again what may work in a moment."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

Result = TypeVar("Result")

TRIES = 5
PAUSE_SECONDS = 1.0
PASSING_CODES = frozenset(
    {
        "ConcurrentModificationException",  # somebody provisions at the same time
        "AWS.SimpleQueueService.NonExistentQueue",  # SQS may take a second to know what it just created
        "QueueDoesNotExist",
    }
)


class Patience:
    """Makes a call a few times where it fails with what passes by itself; then its error is the answer."""

    def __init__(self, pause: Callable[[float], None]) -> None:
        self._pause = pause

    def __call__(self, call: Callable[[], Result]) -> Result:
        """Make the call."""
        for _ in range(TRIES - 1):
            try:
                return call()
            except ClientError as error:
                if error.response["Error"]["Code"] not in PASSING_CODES:
                    raise
            self._pause(PAUSE_SECONDS)
        return call()
