"""Doubles of clock, transport and outbox, controlled by the test."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from threading import Event, Lock, Semaphore
from typing import Any
from uuid import UUID

from adapters.in_memory import InMemoryOutbox
from domain.model.errors import OutboxUnavailableError
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent, StoredEvent
from domain.model.outbox import EventLease, Outcome
from ports.event_port import EventPort, PublishOutcome, Traceparents

ACCEPTED = Publication(PublicationStatus.PUBLISHED, "event-1")


def seeded(seed: int = 20261123) -> Random:
    """Return a reproducible source of randomness."""
    return Random(seed)  # noqa: S311 - keeps no secret


class SimulatedTime:
    """Clock that only waiting moves.

    Attributes:
        at: the current time in seconds.
        waits: the seconds of each wait.
    """

    def __init__(self, at: float = 1_000_000.0) -> None:
        self.at = at
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.at

    def wait(self, seconds: float) -> bool:
        """Let time pass without being woken."""
        self.at += seconds
        self.waits.append(seconds)
        return False


class AnsweringEventPublisher(EventPort):
    """Transport that answers each event with a function.

    Attributes:
        answer: the function; may be replaced at any time.
        calls: the events of each call.
        labels: the labels of each call.
        accepted: the accepted events, in order.
        traceparents: the trace contexts of all events that were sent, in order.
    """

    def __init__(self, answer: Callable[[SentEvent], PublishOutcome] = lambda _: ACCEPTED) -> None:
        self.answer = answer
        self.calls: list[tuple[SentEvent, ...]] = []
        self.labels: list[tuple[str, ...]] = []
        self.accepted: list[SentEvent] = []
        self.traceparents: list[str | None] = []
        self._lock = Lock()

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        outcomes = tuple(map(self.answer, events))
        with self._lock:
            self.labels.append(labels)
            self.traceparents += traceparents
            self.calls.append(tuple(events))
            self.accepted += [
                event for event, outcome in zip(events, outcomes, strict=True) if outcome == ACCEPTED
            ]
        return outcomes

    @property
    def accepted_ids(self) -> list[UUID]:
        return [event.interaction_id for event in self.accepted]


class HeldUpEventPublisher(AnsweringEventPublisher):
    """Transport that answers once `go_on` is set."""

    def __init__(self, answer: Callable[[SentEvent], PublishOutcome] = lambda _: ACCEPTED) -> None:
        super().__init__(answer)
        self.asked = Event()
        self.go_on = Event()

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        self.asked.set()
        assert self.go_on.wait(60)
        return super().publish_all(events, labels=labels, traceparents=traceparents)


class PromptThreads(ThreadPoolExecutor):
    """Threads that have begun when `submit` returns if one is free, so that no time-out ends before."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._free = Semaphore(threads)

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> "Future[Any]":
        begun = Event()

        def begin() -> Any:
            begun.set()
            try:
                return work(*arguments, **named)
            finally:
                self._free.release()

        is_free = self._free.acquire(blocking=False)
        future = super().submit(begin)
        if is_free:
            begun.wait(60)
        return future


class FaultyOutbox(InMemoryOutbox):
    """Outbox whose named methods fail.

    Attributes:
        failing: the names of the methods that fail now.
        error: what they raise.
        recorded: the outcomes of each call of `record`.
        leased: the leases of each call of `lease_due`.
    """

    def __init__(self, clock: Callable[[], float], *failing: str) -> None:
        super().__init__(clock)
        self.failing = set(failing)
        self.error: Exception = OutboxUnavailableError("the disk is full")
        self.recorded: list[tuple[Outcome, ...]] = []
        self.leased: list[tuple[EventLease, ...]] = []

    def add(
        self, event: StoredEvent, /, *, lease_seconds: float = 0.0, traceparent: str | None = None
    ) -> EventLease:
        self._fail("add")
        return super().add(event, lease_seconds=lease_seconds, traceparent=traceparent)

    def lease_due(self, limit: int, /, *, lease_seconds: float) -> tuple[EventLease, ...]:
        self._fail("lease_due")
        leases = super().lease_due(limit, lease_seconds=lease_seconds)
        self.leased.append(leases)
        return leases

    def record(self, outcomes: Sequence[Outcome], /) -> int:
        self._fail("record")
        self.recorded.append(tuple(outcomes))
        return super().record(outcomes)

    def _fail(self, name: str) -> None:
        if name in self.failing:
            raise self.error
