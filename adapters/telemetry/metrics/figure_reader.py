"""Figures that are read at the scrape, from a source that may be slow or unavailable."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

from adapters.telemetry.metrics.instruments import Metrics

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS = 2.0
"""Longest wait of a scrape for one figure; Prometheus gives up a whole scrape after ten seconds."""


class FigureReader(Generic[T]):
    """Figure of one source, read in a thread of its own, so that no source delays or fails a scrape.

    A figure that cannot be read in time is absent from the scrape, and counted in
    `metrics_scrape_errors_total`. The source is read by one thread at a time.
    """

    def __init__(
        self,
        source: str,
        read: Callable[[], T],
        metrics: Metrics,
        *,
        keep_seconds: float = 0.0,  # time for which it is not read again, whether it could be read or not
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._read = read
        self._errors = metrics.scrape_errors.labels(source)  # from 0 on
        self._keep_seconds = keep_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._lock = Lock()
        self._latest: Future[T | None] | None = None
        self._expires = 0.0

    def value(self) -> T | None:
        """Return the figure, at most `keep_seconds` old; None if it cannot be read in time."""
        try:
            value = self._current().result(self._patience_seconds)
        except TimeoutError:
            value = None
        if value is None:
            self._errors.inc()
        return value

    def _current(self) -> "Future[T | None]":
        with self._lock:
            if self._latest is None or (self._latest.done() and self._clock() >= self._expires):
                self._latest = self._begin()
            return self._latest

    def _begin(self) -> "Future[T | None]":
        future = Future[T | None]()
        # a daemon: a source that hangs must not keep the process from ending
        Thread(target=self._finish, args=(future,), name=f"metrics-{self._source}", daemon=True).start()
        return future

    def _finish(self, future: "Future[T | None]") -> None:
        value = None
        try:
            value = self._read()
        except Exception as error:  # noqa: BLE001 - a scrape goes on without this figure
            context = {"source": self._source, "error_type": type(error).__name__, "error": str(error)}
            logger.warning("figure missing from the metrics", extra=context)
        self._expires = self._clock() + self._keep_seconds
        future.set_result(value)
