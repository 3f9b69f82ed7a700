"""Scan of a whole dead-letter queue, which releases every message that is not removed.

A message can only be read by receiving it, which hides it from others. Therefore the scan receives each
message once, keeps it hidden, and releases it at the end, even after a failure. Receives are counted and
cannot be undone: harmless in a dead-letter queue. One with a redrive policy of its own is not scanned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self

from domain.model.errors import InfrastructureError
from domain.model.events.kinds import EventKind
from domain.model.messages.dead_letter import DeadLetter, Selection, read_body
from ports.queue_port import MAX_RECEIVE, QueueMessage, QueuePort

VISIBILITY_TIMEOUT = 120
"""Visibility timeout, which ends the hiding after a killed scan; enough to copy and delete ten messages."""

WAIT_SECONDS = 1
"""Long polling makes SQS query all its servers, so that a short queue does not seem empty."""

INTERRUPTED = "it was interrupted"
"""Problem of an action that Ctrl-C ended."""

MAX_IDLE_ROUNDS = 200
"""Consecutive receives without a new message after which a scan ends: late messages arrive faster than they
can be skipped, or the scan outlasted `VISIBILITY_TIMEOUT` and receives the first ones again."""


class Found(NamedTuple):
    """A message of the dead-letter queue, with its dead letter."""

    message: QueueMessage
    letter: DeadLetter


class DeadLetterScan:
    """One scan, used as a context manager; skips messages sent at `before` or later. Not thread-safe."""

    def __init__(
        self,
        queue: QueuePort,
        source: str,
        *,
        kind: EventKind = EventKind.COMPLETED,
        before: datetime | None = None,
    ) -> None:
        self._queue = queue
        self._source = source
        self._kind = kind
        self._before = before
        self._ours: set[str] = set()
        self._held: dict[str, QueueMessage] = {}
        self._seen: set[str] = set()
        self.skipped = 0  # number of messages that came after the start

    def __enter__(self) -> Self:
        """Check the queue.

        Raises:
            InfrastructureError: the queue cannot be read, or has a redrive policy of its own.
        """
        limit = self._queue.max_receive_count()
        if limit is not None:
            raise InfrastructureError(
                "the dead-letter queue has a redrive policy of its own, which moves messages on after "
                f"{limit} receives: remove that policy first. No message was received"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release all messages that were not dropped."""
        self._queue.release(list(self._held.values()))

    def batches(self, selection: Selection) -> Iterator[list[Found]]:
        """Yield the selected messages, each once, in batches of one to ten.

        Raises:
            InfrastructureError: the queue cannot be read any more.
        """
        wanted = selection.at_most
        while (wanted is None or wanted > 0) and (batch := self._next()):
            found = [one for one in map(self._examine, batch) if selection.means(one.letter)][:wanted]
            if found:
                yield found
            wanted = None if wanted is None else wanted - len(found)

    def ignore(self, ids: Sequence[str]) -> None:
        """Skip these copies of moved messages should they be dead-lettered again."""
        self._ours.update(ids)

    def drop(self, messages: Sequence[QueueMessage]) -> None:
        """Exclude deleted messages from the release."""
        for message in messages:
            self._held.pop(message.id, None)

    def _next(self) -> list[QueueMessage]:
        """Receive messages that were not seen yet; an empty list ends the scan."""
        for _ in range(MAX_IDLE_ROUNDS):
            received = self._queue.receive(
                MAX_RECEIVE, visibility_timeout=VISIBILITY_TIMEOUT, wait_seconds=WAIT_SECONDS
            )
            if not received:
                break
            news = [message for message in received if message.id not in self._seen]
            self._hold(received)
            if old := [message for message in news if not self._is_late(message)]:
                return old
        return []

    def _hold(self, received: Sequence[QueueMessage]) -> None:
        """Remember messages without their bodies, which may exceed the memory."""
        self._seen.update(message.id for message in received)
        self._held.update({message.id: replace(message, body="") for message in received})

    def _is_late(self, message: QueueMessage) -> bool:
        late = message.id in self._ours or bool(
            self._before and message.sent_at and message.sent_at >= self._before
        )
        self.skipped += late
        return late

    def _examine(self, message: QueueMessage) -> Found:
        letter = DeadLetter(
            id=message.id,
            size=len(message.body.encode()),
            receive_count=message.receive_count,
            sent_at=message.sent_at,
            delivery_failure=message.delivery_failure,
            reading=read_body(message.body, self._source, self._kind),
        )
        return Found(message, letter)
