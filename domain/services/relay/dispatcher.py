"""Publishes what was leased: several calls at once, and no more of them where the bus is in trouble."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import NamedTuple

from domain.model.errors import EventBusUnavailableError
from domain.model.events.event import DEFAULT_EVENT_SOURCE, Publication
from domain.model.outbox import EventLease, Outcome, Postponed
from domain.services.publishing.outcomes import log_outcome, outcome_for, publish_safely, update_breaker
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import MAX_BATCH, EventPort, PublishOutcome

CHUNK_CHARACTERS = 1_000_000
"""About as much text as the bus takes with one call; of a larger chunk, one part would wait for the other."""

FIELDS_CHARACTERS = 500
"""What an event has besides its texts, on its way, about."""

DEFAULT_THREADS = 16

PROMPT_SECONDS = 2.0
"""A bus that takes longer is well enough for the relay, but not for callers who wait."""


class Round(NamedTuple):
    """What became of the leases of one round.

    Attributes:
        outcomes: one for each lease.
        accepted: how many the bus took.
        refused: how many were tried and are to be tried again.
        reason: why, for one of those.
    """

    outcomes: tuple[Outcome, ...]
    accepted: int
    refused: int
    reason: str = ""


class _Chunk(NamedTuple):
    """Claims that were settled together, and what the bus answered; no answers where nothing was sent."""

    settled: list[Outcome]
    answers: Sequence[PublishOutcome] = ()


class ClaimPublisher:
    """Sends leases in chunks over threads of its own; tells the breaker of callers how the bus is.

    Args:
        breaker: the one that keeps callers from waiting for a bus in trouble.
        threads: how many calls may be in flight.
        chunk_characters: how much text the bus takes with one call, about.
    """

    def __init__(
        self,
        events: EventPort,
        breaker: CircuitBreaker,
        *,
        source: str = DEFAULT_EVENT_SOURCE,
        threads: int = DEFAULT_THREADS,
        chunk_characters: int = CHUNK_CHARACTERS,
        prompt_seconds: float = PROMPT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self._events = events
        self._breaker = breaker
        self._source = source
        self._chunk_characters = chunk_characters
        self._prompt_seconds = prompt_seconds
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - spreads retries, keeps no secret
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="relay")

    def close(self) -> None:
        """End the threads, once what is in flight has been answered."""
        self._threads.shutdown()

    def start(
        self, leases: Sequence[EventLease], *, why_not: Callable[[], str | None], trouble: str | None = None
    ) -> Callable[[], Round]:
        """Begin to send the leases; what is not sent is left for at once, without a failed attempt.

        Those that failed least go first, so that events which fail for ever are in nobody's way.

        Args:
            leases: in the order in which they were due.
            why_not: a reason to send no more of them, once there is one.
            trouble: what the bus failed with last: one call is enough to see whether it is over.

        Returns:
            What waits for the end of it.
        """
        bus = CircuitBreaker()  # of this round alone: after a pause the bus deserves another chance

        def publish_chunk(chunk: Sequence[EventLease]) -> _Chunk:
            reason = why_not() or bus.reason
            return _Chunk(released(chunk, reason)) if reason else self._send(chunk, bus)

        ordered = sorted(leases, key=lambda lease: lease.attempts)
        chunks = list(_chunks(ordered, self._chunk_characters))
        left = [released(chunk, trouble) for chunk in chunks[1:]] if trouble else []
        sent = self._threads.map(publish_chunk, chunks[: len(chunks) - len(left)])
        return lambda: _summed_up([*sent, *map(_Chunk, left)])

    def _send(self, chunk: Sequence[EventLease], bus: CircuitBreaker) -> _Chunk:
        begun = self._clock()
        answers = publish_safely(self._events, [lease.event for lease in chunk])
        seconds = self._clock() - begun
        accepted = any(isinstance(answer, Publication) for answer in answers)
        update_breaker(bus, answers)
        if not accepted or seconds <= self._prompt_seconds:
            update_breaker(self._breaker, answers)
        settled = [
            outcome_for(lease, answer, self._random) for lease, answer in zip(chunk, answers, strict=True)
        ]
        for outcome in settled:
            log_outcome(outcome, self._source)
        return _Chunk(settled, answers)


def text_length(lease: EventLease) -> int:
    """Characters of an event, about."""
    return FIELDS_CHARACTERS + lease.event.data.characters


def _chunks(leases: Sequence[EventLease], characters: int) -> Iterator[Sequence[EventLease]]:
    """Claims in their order, as few chunks as their number and their length allow."""
    begin = length = 0
    for at, lease in enumerate(leases):
        length += text_length(lease)
        if at > begin and (at - begin == MAX_BATCH or length > characters):
            yield leases[begin:at]
            begin, length = at, text_length(lease)
    if leases:
        yield leases[begin:]


def released(leases: Sequence[EventLease], reason: str) -> list[Outcome]:
    """The outcomes of leases that are given back as they were."""
    return [Postponed(lease, 0.0, reason, is_attempt=False) for lease in leases]


def _summed_up(chunks: Sequence[_Chunk]) -> Round:
    answers = [answer for chunk in chunks for answer in chunk.answers]
    troubles = [str(answer) for answer in answers if isinstance(answer, EventBusUnavailableError)]
    return Round(
        outcomes=tuple(outcome for chunk in chunks for outcome in chunk.settled),
        accepted=sum(isinstance(answer, Publication) for answer in answers),
        refused=len(troubles),
        reason=troubles[-1] if troubles else "",
    )
