"""Admission: recordings at work and in the waiting room of a transcriber; further ones are refused."""

import asyncio
import contextlib
from collections.abc import Iterator

from domain.model.errors import TranscriberBusyError
from domain.services.transcription.workload import Workload


class Admission:
    """Bounds the recordings of one transcriber: so many are at work at the same time, so many wait."""

    def __init__(self, places: int, waiting_room: int, workload: Workload) -> None:
        self.capacity = places + waiting_room
        self.admitted = 0
        self._places = asyncio.Semaphore(places)
        self._workload = workload

    def check(self) -> None:
        """Check that a recording would be admitted now.

        Raises:
            TranscriberBusyError: all places and the waiting room are taken; says when to try again.
        """
        if self.admitted >= self.capacity:
            raise TranscriberBusyError(
                "All transcription slots and the waiting room are taken.",
                retry_after_seconds=self._workload.retry_after_seconds(),
            )

    @contextlib.contextmanager
    def entry(self) -> Iterator[None]:
        """Count a recording as admitted while the context lasts.

        Raises:
            TranscriberBusyError: the recording is not admitted.
        """
        self.check()
        self.admitted += 1
        try:
            yield
        finally:
            self.admitted -= 1

    def place(self) -> asyncio.Semaphore:
        """Return the places, for `async with`: wait for one, and hold it while the context lasts."""
        return self._places
