"""The messages that a consumer has in hand: received, and neither deleted nor put back yet."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from domain.model.consuming.lease import EventKey, ProcessingLease
from domain.model.events.envelope import EventEnvelope
from ports.queue_port import QueueMessage

BATCH = 10
"""What one receive brings, at most."""

GATHERED = 100
"""What several receives bring for one look into the memory, where queue is full and handlers quick."""

START_WITHIN_SECONDS = 1.0
"""No more is received than one thread will have started by then, at the present pace."""

SETTLE_WITHIN_SECONDS = 0.1
SETTLED_TOGETHER = 100
"""For so long, and with so many others, a success may wait to be written down while more is at hand."""

_NEWEST_WEIGHT = 0.2


@dataclass(eq=False, slots=True)
class Delivery:
    """One message in hand, whose event can be read.

    Attributes:
        received_at: just before it was received, by the consumer's clock; as the other times.
        kept_at: when it was hidden last.
        lease: the right to work its event off; None while somebody else has it.
        started_at: when the handler got it.
        tries: how often a handler got it since it was received.
        is_kept: its message is kept hidden, as far as the queue goes along.
        is_hung: its handler takes longer than any should.
    """

    message: QueueMessage
    delivered: EventEnvelope
    received_at: float
    kept_at: float
    lease: ProcessingLease | None = None
    started_at: float | None = None
    done_at: float = 0.0
    tries: int = 0
    is_kept: bool = True
    is_hung: bool = False

    @property
    def key(self) -> EventKey:
        """What tells its event from others."""
        return EventKey(self.delivered.event.interaction_id, self.delivered.replay)


class InHand:
    """Who may start on what next, what is done but not settled, and what waits for somebody else's end.

    Whatever a thread received may be started by any of them, so that nothing waits behind a slow event.
    Safe to use from several threads.

    Attributes:
        is_busy: the last receive brought as much as one can.
    """

    def __init__(self) -> None:
        self.is_busy = False
        self._lock = Lock()
        self._all: dict[Delivery, None] = {}
        self._waiting: deque[Delivery] = deque()
        self._parked: list[Delivery] = []
        self._done: list[Delivery] = []
        self._seconds_each: float | None = None

    def __len__(self) -> int:
        return len(self._all)

    def room(self) -> int:
        """How many to receive now."""
        if self._seconds_each is None:
            return 1
        return max(1, min(GATHERED, int(START_WITHIN_SECONDS / max(self._seconds_each, 1e-6))))

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """These may be started."""
        with self._lock:
            for delivery in deliveries:
                self._all[delivery] = None
                self._waiting.append(delivery)

    def park(self, deliveries: Iterable[Delivery]) -> None:
        """Somebody else works on the same events."""
        with self._lock:
            for delivery in deliveries:
                self._all[delivery] = None
                self._parked.append(delivery)

    def waiting(self) -> int:
        """How many may be started."""
        return len(self._waiting)

    def start(self, now: float, *, newest: bool = False) -> Delivery | None:
        """The next one, if there is any; or the one that came last."""
        try:  # without the lock, for which every thread would stand in line
            delivery = self._waiting.pop() if newest else self._waiting.popleft()
        except IndexError:
            return None
        delivery.started_at = now
        delivery.tries += 1
        return delivery

    def again(self, delivery: Delivery) -> None:
        """One failed, and may be started once more, after all others."""
        delivery.started_at = None
        self._waiting.append(delivery)

    def finish(self, delivery: Delivery, now: float) -> Sequence[Delivery]:
        """One succeeded; returns what is to be settled now."""
        with self._lock:
            self._measure(delivery, now)
            delivery.done_at = now
            self._done.append(delivery)
            is_time = now - self._done[0].done_at > SETTLE_WITHIN_SECONDS
            has_more = bool(self._waiting) or self.is_busy
            if has_more and len(self._done) < SETTLED_TOGETHER and not is_time:
                return ()
            return self._take_done(math.inf)

    def take_done(self, done_before: float) -> Sequence[Delivery]:
        """What has succeeded by then, and is not settled."""
        with self._lock:
            return self._take_done(done_before)

    def has_done(self) -> bool:
        """Whether anything has succeeded that is not settled."""
        return bool(self._done)

    def take_waiting(self) -> list[Delivery]:
        """Everything that nobody has started, parked or not."""
        with self._lock:
            taken = [*self._not_started(), *self._parked]
            self._parked = []
            return taken

    def take_parked(self) -> list[Delivery]:
        """What waits for somebody else's end; it is still in hand."""
        with self._lock:
            taken, self._parked = self._parked, []
            return taken

    def drop(self, deliveries: Iterable[Delivery]) -> None:
        """These are no longer in hand."""
        with self._lock:
            for delivery in deliveries:
                self._all.pop(delivery, None)

    def everything(self) -> list[Delivery]:
        """All that is in hand."""
        with self._lock:
            return list(self._all)

    def is_idle(self) -> bool:
        """Whether there is nothing to start, and nothing under way but what hangs."""
        with self._lock:
            return all(delivery.is_hung for delivery in self._all)

    def measure(self, delivery: Delivery, now: float) -> None:
        """One ended without success; that counts towards the pace, too."""
        with self._lock:
            self._measure(delivery, now)

    def _not_started(self) -> Iterator[Delivery]:
        """One by one, as any of them may be started meanwhile."""
        with suppress(IndexError):
            while True:
                yield self._waiting.popleft()

    def _measure(self, delivery: Delivery, now: float) -> None:
        seconds = now - (delivery.started_at or now)
        before = seconds if self._seconds_each is None else self._seconds_each
        self._seconds_each = before + _NEWEST_WEIGHT * (seconds - before)

    def _take_done(self, done_before: float) -> Sequence[Delivery]:
        taken = [delivery for delivery in self._done if delivery.done_at <= done_before]
        self._done = [delivery for delivery in self._done if delivery.done_at > done_before]
        return taken
