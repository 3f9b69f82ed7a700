"""Goes through a dead-letter queue from one end to the other, and leaves what it does not take as it was.

A queue shows messages only by handing them out, and hides what it handed out. So each message is taken once,
stays hidden while the scan lasts, and is released at its end, whatever ends it. Receives are counted and
cannot be taken back: harmless, because a dead-letter queue moves nothing on. One that does is left alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self

from domain.model.errors import InfrastructureError
from domain.model.messages.dead_letter import DeadLetter, Selection, read_body
from ports.queue_port import QueueMessage, QueuePort

VISIBILITY_TIMEOUT = 120
"""How long a message stays hidden where a scan is killed; long enough to copy and delete ten of them."""

WAIT_SECONDS = 1
"""Waiting at all makes SQS ask all of its servers, so that a short queue is not mistaken for an empty one."""

INTERRUPTED = "it was interrupted"
"""What ended the work, where that was Ctrl-C."""

BATCH = 10
MAX_IDLE_ROUNDS = 200
"""A scan ends after so many receives in a row that brought nothing for it: messages that arrive faster than
they can be put aside, or the first ones again, since it outlasted `VISIBILITY_TIMEOUT`."""


class Found(NamedTuple):
    """A message of the dead-letter queue, and what is known of it."""

    message: QueueMessage
    letter: DeadLetter


class DeadLetterScan:
    """One scan; a context manager. Not for use by several threads.

    Args:
        source: whose events the queue is for.
        before: what was sent at this moment or later is left alone: it came after the scan had begun.

    Attributes:
        skipped: how many were left alone for that reason.
    """

    def __init__(self, queue: QueuePort, source: str, *, before: datetime | None = None) -> None:
        self._queue = queue
        self._source = source
        self._before = before
        self._ours: set[str] = set()
        self._held: dict[str, QueueMessage] = {}
        self._seen: set[str] = set()
        self.skipped = 0

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            InfrastructureError: the queue cannot be read, or would move on what is received too often.
        """
        limit = self._queue.max_receive_count()
        if limit is not None:
            raise InfrastructureError(
                "the dead-letter queue has a redrive policy of its own, so that what is looked at "
                f"{limit} times leaves it: remove that policy first. Nothing was touched"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release whatever was not dropped."""
        self._queue.release(list(self._held.values()))

    def batches(self, selection: Selection) -> Iterator[list[Found]]:
        """What is meant, up to ten at a time, each message once; never an empty list.

        Raises:
            InfrastructureError: the queue cannot be read any further.
        """
        wanted = selection.at_most
        while (wanted is None or wanted > 0) and (batch := self._next()):
            found = [one for one in map(self._examine, batch) if selection.means(one.letter)][:wanted]
            if found:
                yield found
            wanted = None if wanted is None else wanted - len(found)

    def ignore(self, ids: Sequence[str]) -> None:
        """These are copies of what was moved: should they come back, they are left alone."""
        self._ours.update(ids)

    def drop(self, messages: Sequence[QueueMessage]) -> None:
        """These are deleted, and need no release."""
        for message in messages:
            self._held.pop(message.id, None)

    def _next(self) -> list[QueueMessage]:
        """Messages that were not seen yet; none at the end."""
        for _ in range(MAX_IDLE_ROUNDS):
            received = self._queue.receive(
                BATCH, visibility_timeout=VISIBILITY_TIMEOUT, wait_seconds=WAIT_SECONDS
            )
            if not received:
                break
            news = [message for message in received if message.id not in self._seen]
            self._hold(received)
            if old := [message for message in news if not self._is_late(message)]:
                return old
        return []

    def _hold(self, received: Sequence[QueueMessage]) -> None:
        """Without their bodies: there may be more of them than memory."""
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
            reading=read_body(message.body, self._source),
        )
        return Found(message, letter)
