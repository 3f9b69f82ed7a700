"""Batch dispatcher: sends leased events in concurrent calls while bus, route and lease allow it."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from random import Random
from threading import Event
from typing import NamedTuple

from domain.model.errors import EventBusUnavailableError
from domain.model.events.event import DEFAULT_EVENT_SOURCE, Publication
from domain.model.outbox import EventLease, Outcome, Postponed
from domain.services.publishing.outcomes import log_outcome, outcome_for, publish_safely, update_breaker
from domain.services.resilience.background import logging_exceptions
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort, PublishOutcome

CALL_CHARACTERS = 1_000_000
"""Approximate text of one call: the transport splits a larger one and sends the parts in sequence."""

FIELDS_CHARACTERS = 500
"""Approximate length of an event without its transcripts."""

DEFAULT_THREADS = 16

PROMPT_SECONDS = 2.0
"""Longest call that closes the circuit breaker: a slower bus serves the relay, but not callers that wait."""


class Batch(NamedTuple):
    """Events leased together, and the conditions that end their dispatch."""

    leases: Sequence[EventLease]  # in the order in which they became due
    send_until: float  # the time, by the dispatcher's clock, after which the leases are too short to send
    stop: Event  # set when the relay stops
    # the bus's last error while the relay is paused: one call tests the bus, the other events are released
    last_failure: str | None = None


class DispatchResult(NamedTuple):
    """Result of one batch."""

    outcomes: tuple[Outcome, ...]  # one for each lease
    accepted: int  # the number of events that the bus accepted
    refused: int  # the number of events that failed and are to be sent again
    failure: str = ""  # the error of one of those
    retry_after_seconds: float = 0.0  # the longest time for which the bus asked to wait


class _CallResult(NamedTuple):
    """Outcomes of one call, and the transport's answers; no answers if the call was not made."""

    outcomes: list[Outcome]
    answers: Sequence[PublishOutcome] = ()


class BatchDispatcher:
    """Sends batches over its own threads, and keeps them in order until their results are taken.

    Serves one relay. Updates the circuit breaker that keeps callers from waiting for a failing bus.
    """

    def __init__(
        self,
        events: EventPort,
        breaker: CircuitBreaker,  # the callers' circuit breaker; while it is held, nothing is sent
        *,
        source: str = DEFAULT_EVENT_SOURCE,
        threads: int = DEFAULT_THREADS,  # the number of concurrent calls
        call_characters: int = CALL_CHARACTERS,  # the approximate amount of text in one call
        prompt_seconds: float = PROMPT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self._events = events
        self._breaker = breaker
        self._source = source
        self._call_characters = call_characters
        self._prompt_seconds = prompt_seconds
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - spreads retries, keeps no secret
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="relay")
        self._in_flight: deque[Iterator[_CallResult]] = deque()
        self.is_healthy = False  # true if no event of the last finished batch was refused

    def close(self) -> None:
        """End the threads after the calls in flight have been answered."""
        self._threads.shutdown()

    @property
    def in_flight(self) -> int:
        """Number of batches whose results have not been taken."""
        return len(self._in_flight)

    def submit(self, batch: Batch) -> None:
        """Start to send a batch, and release its unsent events without counting a failed attempt.

        Events that failed least are sent first, so that events which always fail delay no others.
        """
        ordered = sorted(batch.leases, key=lambda lease: lease.attempts)
        calls = list(_calls(ordered, self._events.batch_size, self._call_characters))
        failure = batch.last_failure
        sent = calls[:1] if failure else calls
        unsent = [_released(leases, failure) for leases in calls[1:]] if failure else []
        bus = CircuitBreaker()  # of this batch only: after a pause the bus is tried again
        self._in_flight.append(chain(self._threads.map(self._call, sent, repeat(batch), repeat(bus)), unsent))

    def results(self, *, keep: int = 0) -> Iterator[DispatchResult]:
        """Wait for batches, oldest first, until at most `keep` are in flight; yield the result of each."""
        while len(self._in_flight) > keep:
            yield self._take_oldest()

    def drain(self) -> list[Outcome]:
        """Wait for all batches and return their outcomes; a batch that fails is logged, its leases expire."""
        outcomes: list[Outcome] = []
        while self._in_flight:
            with logging_exceptions("dispatching a batch failed, its events will be sent again"):
                outcomes += self._take_oldest().outcomes
        return outcomes

    def _take_oldest(self) -> DispatchResult:
        result = _summarize(list(self._in_flight.popleft()))
        self.is_healthy = not result.refused
        return result

    def _call(self, leases: Sequence[EventLease], batch: Batch, bus: CircuitBreaker) -> _CallResult:
        reason = self._stop_reason(batch) or bus.reason
        return _released(leases, reason) if reason else self._send(leases, bus)

    def _stop_reason(self, batch: Batch) -> str | None:
        if batch.stop.is_set():
            return "the relay stopped"
        if self._breaker.held:
            return f"the events are held back: {self._breaker.held}"
        return "the lease was nearly over" if self._clock() > batch.send_until else None

    def _send(self, leases: Sequence[EventLease], bus: CircuitBreaker) -> _CallResult:
        begun = self._clock()
        traceparents = [lease.traceparent for lease in leases]
        answers = publish_safely(self._events, [lease.event for lease in leases], traceparents)
        self._update_breakers(bus, answers, self._clock() - begun)
        outcomes = [
            outcome_for(lease, answer, self._random) for lease, answer in zip(leases, answers, strict=True)
        ]
        for outcome in outcomes:
            log_outcome(outcome, self._source)
        return _CallResult(outcomes, answers)

    def _update_breakers(
        self, bus: CircuitBreaker, answers: Sequence[PublishOutcome], seconds: float
    ) -> None:
        update_breaker(bus, answers)
        accepted = any(isinstance(answer, Publication) for answer in answers)
        if not accepted or seconds <= self._prompt_seconds:
            update_breaker(self._breaker, answers)


def text_length(lease: EventLease) -> int:
    """Return the approximate number of characters of an event."""
    return FIELDS_CHARACTERS + lease.event.data.characters


def _calls(leases: Sequence[EventLease], size: int, characters: int) -> Iterator[Sequence[EventLease]]:
    """Split leases, in their order, into as few calls as their number and length allow."""
    begin = length = 0
    for at, lease in enumerate(leases):
        length += text_length(lease)
        if at > begin and (at - begin == size or length > characters):
            yield leases[begin:at]
            begin, length = at, text_length(lease)
    if leases:
        yield leases[begin:]


def _released(leases: Sequence[EventLease], reason: str) -> _CallResult:
    """Return the outcomes of events that were not sent: due at once, and no failed attempt."""
    return _CallResult([Postponed(lease, 0.0, reason, is_attempt=False) for lease in leases])


def _summarize(calls: Sequence[_CallResult]) -> DispatchResult:
    answers = [answer for call in calls for answer in call.answers]
    failures = [answer for answer in answers if isinstance(answer, EventBusUnavailableError)]
    return DispatchResult(
        outcomes=tuple(outcome for call in calls for outcome in call.outcomes),
        accepted=sum(isinstance(answer, Publication) for answer in answers),
        refused=len(failures),
        failure=str(failures[-1]) if failures else "",
        retry_after_seconds=max((failure.retry_after_seconds for failure in failures), default=0.0),
    )
