"""In-flight messages of a consumer: received, and neither deleted nor released yet."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from domain.model.consuming.lease import EventKey, ProcessingLease
from domain.model.events.envelope import EventEnvelope
from ports.queue_port import QueueMessage

MAX_PREFETCH = 100
"""The most messages of several receives that share one call of the deduplication store."""

PREFETCH_SECONDS = 1.0
"""A thread receives no more messages than it can start within this time, at the measured pace."""

ACK_LINGER_SECONDS = 0.1
"""A completed message waits at most this long for others, while more messages are available."""

MAX_ACK_BATCH = 100
"""The most completed messages that wait to be acknowledged together."""

_NEWEST_WEIGHT = 0.2


@dataclass(eq=False, slots=True)
class InFlightMessage:
    """One received message with a readable event. Times are those of the consumer's clock."""

    message: QueueMessage
    envelope: EventEnvelope
    received_at: float  # just before it was received
    extended_at: float  # when its visibility timeout was set last
    lease: ProcessingLease | None = None  # the right to process its event; None while another consumer has it
    renewed_at: float = 0.0  # just before its lease was acquired, or renewed last
    started_at: float | None = None  # when its handler was called
    completed_at: float = 0.0
    tries: int = 0  # number of handler calls since it was received
    is_extended: bool = True  # the heartbeat extends its visibility timeout
    is_stuck: bool = False  # its handler exceeded the handler timeout

    @property
    def key(self) -> EventKey:
        """The deduplication key of its event."""
        event = self.envelope.event
        return EventKey(event.DETAIL_TYPE, event.interaction_id, self.envelope.replay)


class InFlight:
    """All in-flight messages: waiting for a handler, running, completed but not acknowledged, or blocked.

    A message is blocked while another consumer has the lease of its event. Any thread may start any waiting
    message, so that none waits behind a slow event. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self.is_busy = False  # the last receive returned a full batch
        self._lock = Lock()
        self._all: dict[InFlightMessage, None] = {}
        self._waiting: deque[InFlightMessage] = deque()
        self._blocked: list[InFlightMessage] = []
        self._completed: list[InFlightMessage] = []
        self._seconds_each: float | None = None

    def __len__(self) -> int:
        return len(self._all)

    @property
    def prefetch_limit(self) -> int:
        """Number of messages to receive now; one until the pace is known."""
        if self._seconds_each is None:
            return 1
        return max(1, min(MAX_PREFETCH, int(PREFETCH_SECONDS / max(self._seconds_each, 1e-6))))

    def add(self, messages: Iterable[InFlightMessage]) -> None:
        """Add messages that may be started."""
        with self._lock:
            for message in messages:
                self._all[message] = None
                self._waiting.append(message)

    def block(self, messages: Iterable[InFlightMessage]) -> None:
        """Add messages whose events another consumer is processing."""
        with self._lock:
            for message in messages:
                self._all[message] = None
                self._blocked.append(message)

    def waiting(self) -> int:
        """Return the number of messages that may be started."""
        return len(self._waiting)

    def has_unstarted(self) -> bool:
        """Return True if a message waits for a handler, is blocked, or failed and is tried again."""
        return any(message.started_at is None for message in self.all())

    def start(self, now: float, *, newest: bool = False) -> InFlightMessage | None:
        """Take the oldest waiting message, or the newest; None if there is none."""
        try:  # without the lock, for which every thread would queue
            message = self._waiting.pop() if newest else self._waiting.popleft()
        except IndexError:
            return None
        message.started_at = now
        message.tries += 1
        return message

    def retry(self, message: InFlightMessage) -> None:
        """Let a failed message be started again, after all others."""
        message.started_at = None
        self._waiting.append(message)

    def complete(self, message: InFlightMessage, now: float) -> Sequence[InFlightMessage]:
        """Note a success; return the completed messages to acknowledge now."""
        with self._lock:
            self._measure(message, now)
            message.completed_at = now
            self._completed.append(message)
            is_due = now - self._completed[0].completed_at > ACK_LINGER_SECONDS
            has_more = bool(self._waiting) or self.is_busy
            if has_more and len(self._completed) < MAX_ACK_BATCH and not is_due:
                return ()
            return self._drain_completed(math.inf)

    def drain_completed(self, completed_before: float = math.inf) -> Sequence[InFlightMessage]:
        """Take the messages that were completed by that time and are not acknowledged."""
        with self._lock:
            return self._drain_completed(completed_before)

    def has_completed(self) -> bool:
        """Return True if a completed message is not acknowledged."""
        return bool(self._completed)

    def take_waiting(self) -> list[InFlightMessage]:
        """Take all messages that were not started, blocked ones included."""
        with self._lock:
            taken = [*self._not_started(), *self._blocked]
            self._blocked = []
            return taken

    def take_blocked(self) -> list[InFlightMessage]:
        """Take the blocked messages; they stay in flight."""
        with self._lock:
            taken, self._blocked = self._blocked, []
            return taken

    def drop(self, messages: Iterable[InFlightMessage]) -> None:
        """Forget messages that were deleted or released."""
        with self._lock:
            for message in messages:
                self._all.pop(message, None)

    def all(self) -> list[InFlightMessage]:
        """Return every in-flight message."""
        with self._lock:
            return list(self._all)

    def is_idle(self) -> bool:
        """Return True if only messages of stuck handlers are in flight."""
        with self._lock:
            return all(message.is_stuck for message in self._all)

    def measure(self, message: InFlightMessage, now: float) -> None:
        """Include a failed handler call in the measured pace."""
        with self._lock:
            self._measure(message, now)

    def _not_started(self) -> Iterator[InFlightMessage]:
        """Take waiting messages one by one, as other threads may start some meanwhile."""
        with suppress(IndexError):
            while True:
                yield self._waiting.popleft()

    def _measure(self, message: InFlightMessage, now: float) -> None:
        seconds = now - (message.started_at or now)
        before = seconds if self._seconds_each is None else self._seconds_each
        self._seconds_each = before + _NEWEST_WEIGHT * (seconds - before)

    def _drain_completed(self, completed_before: float) -> Sequence[InFlightMessage]:
        drained = [message for message in self._completed if message.completed_at <= completed_before]
        self._completed = [message for message in self._completed if message.completed_at > completed_before]
        return drained
