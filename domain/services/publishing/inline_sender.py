"""Inline sender: publishes events whose callers wait, and shares one call among concurrent callers.

Callers need `InlineSender.publish` only. The rest of the module shares calls: an event is sent at once while
a call is free; events that arrive while none is free are sent together by the next one.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from random import Random
from threading import Lock

from domain.model.errors import EventBusUnavailableError, OutboxUnavailableError
from domain.model.events.sent import StoredEvent
from domain.model.outbox import EventLease, Outcome, Postponed
from domain.services.publishing.outcomes import log_outcome, outcome_for, publish_safely, update_breaker
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import MAX_BATCH, EventPort, PublishOutcome
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

MAX_CALLS = 2
"""Concurrent calls to the bus: one slow call must not delay all callers."""

MAX_SHARED_CHARACTERS = 64_000
"""Text that several events may share a call with. In any encoding the bus takes it as one call, and a short
event does not wait until long transcripts are stored beside theirs."""


class PendingPublish:
    """One event, and the caller who waits for its outcome."""

    def __init__(self, event: StoredEvent, lease: EventLease | None) -> None:
        self.event = event
        self.lease = lease  # the lease of the event in the outbox; None if the event could not be stored
        # the outcome of the call; cancelled if the caller left before the call began
        self.outcome = Future[PublishOutcome]()
        self.is_late = False  # true if the caller has left
        # true for the first event of a call: only it reports a time-out to the circuit breaker, so that one
        # slow call counts once
        self.is_first = True


class InlineSender:
    """Publishes events for callers who wait; updates the circuit breaker with each call.

    No caller waits for other events to share a call with, nor until the outcome is recorded.
    """

    def __init__(
        self,
        outbox: OutboxPort,
        events: EventPort,
        breaker: CircuitBreaker,
        *,
        wake: Callable[[], None],  # tells the relay that there is work
        source: str,
        # runs the calls, one in each of its threads; closed with the sender
        executor: Executor | None = None,
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
        self._executor = executor or ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="inline-call")

    def close(self) -> None:
        """Wait until all calls have ended and their outcomes are recorded."""
        self._executor.shutdown()

    def publish(
        self, event: StoredEvent, lease: EventLease | None, *, timeout_seconds: float
    ) -> PublishOutcome:
        """Send an event and wait for its outcome; `EventBusUnavailableError` after the time-out."""
        return self.wait_for(self.submit(event, lease), timeout_seconds)

    def submit(self, event: StoredEvent, lease: EventLease | None) -> PendingPublish:
        """Queue an event for the next call; returns at once."""
        pending = PendingPublish(event, lease)
        self._waiting.append(pending)
        self._executor.submit(self._send_next)
        return pending

    def wait_for(self, pending: PendingPublish, timeout_seconds: float) -> PublishOutcome:
        """Wait for the outcome of a queued event; `EventBusUnavailableError` after the time-out."""
        try:
            return pending.outcome.result(timeout_seconds)
        except TimeoutError as error:
            return self._give_up(pending, timeout_seconds, error)

    def _give_up(
        self, pending: PendingPublish, timeout_seconds: float, cause: TimeoutError
    ) -> EventBusUnavailableError:
        """Leave an event to the call that sends it, or to the relay if no call has taken it."""
        pending.is_late = True
        late = EventBusUnavailableError(f"the bus did not answer within {timeout_seconds} s")
        late.__cause__ = cause
        if pending.is_first:
            self._breaker.failed(str(late))
        if pending.outcome.cancel() and pending.lease:  # no call took it, so no call records it
            self._record([Postponed(pending.lease, 0.0, "no inline attempt was made", is_attempt=False)])
        return late

    def _send_next(self) -> None:
        if not (taken := self._take()):
            return  # an earlier call took the event along
        traceparents = [pending.lease and pending.lease.traceparent for pending in taken]
        answers = publish_safely(self._events, [pending.event for pending in taken], traceparents)
        if not taken[0].is_late:
            update_breaker(self._breaker, answers)
        for pending, answer in zip(taken, answers, strict=True):
            # before the outcome is recorded: a crash in between costs a duplicate
            pending.outcome.set_result(answer)
        self._record_all(taken, answers)

    def _take(self) -> list[PendingPublish]:
        """Take from the queue as many events as fit into one call and whose callers still wait."""
        taken: list[PendingPublish] = []
        characters = 0
        with self._taking:
            while self._waiting and len(taken) < MAX_BATCH:
                characters += self._waiting[0].event.data.characters
                if taken and characters > MAX_SHARED_CHARACTERS:
                    break
                pending = self._waiting.popleft()
                if pending.outcome.set_running_or_notify_cancel():
                    pending.is_first = not taken
                    taken.append(pending)
        return taken

    def _record_all(self, taken: Sequence[PendingPublish], answers: Sequence[PublishOutcome]) -> None:
        outcomes = [
            (pending, outcome_for(pending.lease, answer, self._random))
            for pending, answer in zip(taken, answers, strict=True)
            if pending.lease
        ]
        for pending, outcome in outcomes:
            if pending.is_late:  # else its caller logs it
                log_outcome(outcome, self._source)
        self._record([outcome for _, outcome in outcomes])

    def _record(self, outcomes: Sequence[Outcome]) -> None:
        """Record outcomes; after a failure the leases expire, and the relay sends the events again."""
        try:
            self._outbox.record(outcomes)
        except Exception as error:
            trace = None if isinstance(error, OutboxUnavailableError) else error  # an expected outage
            for outcome in outcomes:
                context = error_context(outcome.lease.event, error)
                logger.error(  # noqa: TRY400 - see `trace`
                    "outcome not recorded, the event will be sent again", exc_info=trace, extra=context
                )
        if any(isinstance(outcome, Postponed) for outcome in outcomes):
            self._wake()


def error_context(event: StoredEvent, error: Exception) -> dict[str, str]:
    """Return the log fields of an error that concerns one event."""
    return {
        "interaction_id": str(event.interaction_id),
        "error_type": type(error).__name__,
        "error": str(error),
    }
