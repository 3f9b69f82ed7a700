"""Events whose callers wait for the bus: those who come at the same time share a call to it."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from threading import Lock

from domain.model.errors import EventBusUnavailableError
from domain.model.events.event import BatchProcessingCompleted
from domain.model.outbox import EventLease, Outcome, Postponed
from domain.services.publishing.outcomes import log_outcome, outcome_for, publish_safely, update_breaker
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import MAX_BATCH, EventPort, PublishOutcome
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

CALLS = 2
"""How many calls may be under way: one that is slow must not hold up everybody else."""

SHARED_CHARACTERS = 64_000
"""Of the texts in one call: however they are encoded, a bus takes them together, and no short event waits
until long texts are stored beside theirs."""


class PendingPublish:
    """One event, and the caller who waits for it.

    Attributes:
        lease: on the event in the outbox; None where it could not be kept.
        outcome: what the bus says; cancelled where the caller left before it was asked.
        is_late: whether the caller has left.
        is_first: true for the first event of a call: only it reports a time-out to the circuit breaker, so
            that one slow call counts once.
    """

    def __init__(self, event: BatchProcessingCompleted, lease: EventLease | None) -> None:
        self.event = event
        self.lease = lease
        self.outcome = Future[PublishOutcome]()
        self.is_late = False
        self.is_first = True


class InlineSender:
    """Sends at once what comes while a call is free, and together what came while none was.

    Nobody waits for company, nor for the record of what became of an event. The breaker knows how the bus is.

    Args:
        wake: tells the relay that there is work.
        calls: how many may be under way.
    """

    def __init__(
        self,
        outbox: OutboxPort,
        events: EventPort,
        breaker: CircuitBreaker,
        *,
        wake: Callable[[], None],
        source: str,
        calls: int = CALLS,
        random: Random | None = None,
    ) -> None:
        self._outbox = outbox
        self._events = events
        self._breaker = breaker
        self._wake = wake
        self._source = source
        self._random = random or Random()  # noqa: S311 - spreads retries, keeps no secret
        self._waiting: deque[PendingPublish] = deque()
        self._taking = Lock()
        self._threads = ThreadPoolExecutor(calls, thread_name_prefix="inline-call")

    def close(self) -> None:
        """Wait for the calls that are under way, and for what was begun."""
        self._threads.shutdown()

    def begin(self, event: BatchProcessingCompleted, lease: EventLease | None) -> PendingPublish:
        """Have the event sent with the next call; returns at once."""
        inline = PendingPublish(event, lease)
        self._waiting.append(inline)
        self._threads.submit(self._send_next)
        return inline

    def answer(self, inline: PendingPublish, timeout_seconds: float) -> PublishOutcome:
        """Wait for what the bus says; `EventBusUnavailableError` where that takes too long."""
        try:
            return inline.outcome.result(timeout_seconds)
        except TimeoutError:
            inline.is_late = True
        late = EventBusUnavailableError(f"the bus did not answer within {timeout_seconds} s")
        if inline.is_first:
            self._breaker.failed(str(late))
        if inline.outcome.cancel() and inline.lease:  # no call took it, so nobody else will record anything
            self._record([Postponed(inline.lease, 0.0, "no inline attempt was made", is_attempt=False)])
        return late

    def _send_next(self) -> None:
        if not (taken := self._taken()):
            return  # another call took them along
        answers = publish_safely(self._events, [inline.event for inline in taken])
        if not taken[0].is_late:
            update_breaker(self._breaker, answers)
        for inline, answer in zip(taken, answers, strict=True):
            # callers need not wait for the record: a crash before it costs duplicates
            inline.outcome.set_result(answer)
        self._settle(taken, answers)

    def _taken(self) -> list[PendingPublish]:
        """As many as fit into one call, and whose callers are still there."""
        taken: list[PendingPublish] = []
        characters = 0
        with self._taking:
            while self._waiting and len(taken) < MAX_BATCH:
                characters += self._waiting[0].event.data.characters
                if taken and characters > SHARED_CHARACTERS:
                    break
                inline = self._waiting.popleft()
                if inline.outcome.set_running_or_notify_cancel():
                    inline.is_first = not taken
                    taken.append(inline)
        return taken

    def _settle(self, taken: Sequence[PendingPublish], answers: Sequence[PublishOutcome]) -> None:
        outcomes = [
            (inline, outcome_for(inline.lease, answer, self._random))
            for inline, answer in zip(taken, answers, strict=True)
            if inline.lease
        ]
        for inline, outcome in outcomes:
            if inline.is_late:  # else its caller tells
                log_outcome(outcome, self._source)
        self._record([outcome for _, outcome in outcomes])

    def _record(self, outcomes: Sequence[Outcome]) -> None:
        """A failure costs duplicates at most: the leases end, and the relay sends the events again."""
        try:
            self._outbox.record(outcomes)
        except Exception as error:
            for outcome in outcomes:
                logger.exception("the outcome could not be recorded", extra=about(outcome.lease.event, error))
        if any(isinstance(outcome, Postponed) for outcome in outcomes):
            self._wake()


def about(event: BatchProcessingCompleted, error: Exception) -> dict[str, str]:
    """Which event an error befell, for the log."""
    return {
        "interaction_id": str(event.interaction_id),
        "error_type": type(error).__name__,
        "error": str(error),
    }
