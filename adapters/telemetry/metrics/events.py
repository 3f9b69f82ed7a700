"""Decorator around a transport of events."""

import time
from collections.abc import Callable, Sequence
from typing import Literal

from adapters.telemetry.metrics.instruments import Metrics
from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventRejectedError,
    EventTooLargeError,
)
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from domain.model.problem_names import problem_name
from ports.event_port import EventPort, PublishOutcome, Traceparents

DeliveryPath = Literal["inline", "relay"]
UNEXPECTED = "unexpected-error"
_KNOWN = (EventBusUnavailableError, EventBusRefusesUsError, EventRejectedError, EventTooLargeError)


class MeteredEventPort(EventPort):
    """Counts the failures of a transport, and measures how long events took to reach the bus."""

    def __init__(
        self,
        events: EventPort,
        metrics: Metrics,
        *,
        path: DeliveryPath,  # who sends: the request itself, or the relay
        now: Callable[[], float] = time.time,  # seconds since 1970
    ) -> None:
        self._events = events
        self._failures = metrics.publish_failures
        self._delivery = metrics.deliveries.labels(path)
        self._now = now
        for name in (*map(problem_name, _KNOWN), UNEXPECTED):
            self._failures.labels(name)  # from 0 on, or the first failure is no increase

    @property
    def batch_size(self) -> int:
        """Return the transport's."""
        return self._events.batch_size

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Publish the events, and record the outcome of each."""
        try:
            outcomes = self._events.publish_all(events, labels=labels, traceparents=traceparents)
        except Exception:
            self._failures.labels(UNEXPECTED).inc(len(events))
            raise
        for event, outcome in zip(events, outcomes, strict=False):
            self._record(event, outcome)
        return outcomes

    def _record(self, event: SentEvent, outcome: PublishOutcome) -> None:
        match outcome:
            case EventPublishError():
                self._failures.labels(problem_name(type(outcome))).inc()
            case Publication(PublicationStatus.PUBLISHED):
                # clocks of two machines may differ
                self._delivery.observe(max(0.0, self._now() - event.timestamp.timestamp()))
