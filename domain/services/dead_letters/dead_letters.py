"""What an operator does with dead letters: look at them, archive them, put them back, delete them."""

from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from domain.model.clock import utc_now
from domain.model.errors import ArchiveError, DeletionError, InfrastructureError
from domain.model.messages.dead_letter import Selection
from domain.model.messages.stored import StoredMessage
from domain.services.dead_letters.scan import BATCH, INTERRUPTED, DeadLetterWalk, Found
from ports.dead_letter_archive_port import DeadLetterArchivePort
from ports.queue_port import QueueDepth, QueueMessage, QueuePort

EVERYTHING = Selection()


class Tally(NamedTuple):
    """What became of the dead letters that were meant.

    Attributes:
        done: archived, put back or deleted, as was asked.
        undeleted: of those, how many are in the dead-letter queue still, or may be: deleting them failed, or
            was interrupted.
        left: they came after the work had begun, and were left alone.
        problem: what ended the work early; empty where nothing did.
        interrupted: whether Ctrl-C did.
    """

    done: int = 0
    undeleted: int = 0
    left: int = 0
    problem: str = ""
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing ended the work early."""
        return not self.problem


class DeadLetters:
    """The dead letters of one queue.

    Args:
        source: whose events they should be.
    """

    def __init__(
        self,
        dead_letters: QueuePort,
        queue: QueuePort,
        *,
        source: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._dead_letters = dead_letters
        self._queue = queue
        self._source = source
        self._now = now

    def depth(self) -> QueueDepth:
        """Count them, roughly; in flight are those that somebody else looks at.

        Raises:
            InfrastructureError: the queue cannot be read.
        """
        return self._dead_letters.depth()

    def each(self, selection: Selection = EVERYTHING) -> Generator[Found, None, None]:
        """Show each one that is meant; all are released once the iterator is closed or at its end.

        Raises:
            InfrastructureError: the queue cannot be read.
        """
        with DeadLetterWalk(self._dead_letters, self._source) as walk:
            for batch in walk.batches(selection):
                yield from batch

    def archive(self, selection: Selection, archive: DeadLetterArchivePort, *, keep: bool) -> Tally:
        """Store what is meant, and delete it from the queue once it is known to be stored.

        Args:
            selection: which are meant.
            archive: where to.
            keep: leave it in the queue as well.

        Raises:
            InfrastructureError: the queue cannot be read at all.
        """

        def store(batch: Sequence[Found]) -> None:
            for message, _ in batch:
                archive.keep(stored(message))

        return self._work_off(selection, store, delete=not keep)

    def purge(self) -> Tally:
        """Delete every dead letter that was sent before now.

        Raises:
            InfrastructureError: the queue cannot be read at all.
        """
        return self._work_off(EVERYTHING, lambda _: None, delete=True)

    def restore(self, archive: DeadLetterArchivePort) -> Tally:
        """Send what is archived to the queue, as new messages; the archive is left as it is.

        Everything is read before anything is sent. Ctrl-C ends it, and is told.

        Raises:
            ArchiveError: something in the archive cannot be read; nothing was sent.
        """
        kept, tally = archive.messages(), Tally()
        try:
            for _ in archive.messages():
                pass
            while not tally.problem and (batch := [received(one) for one in islice(kept, BATCH)]):
                copies = self._queue.resend(batch)
                sent = sum(copy.id is not None for copy in copies)
                problem = next((f"{copy.original.id}: {copy.problem}" for copy in copies if not copy.id), "")
                tally = tally._replace(done=tally.done + sent, problem=problem)
        except KeyboardInterrupt:
            tally = _interrupted(tally)
        return tally

    def _work_off(
        self, selection: Selection, work: Callable[[Sequence[Found]], None], *, delete: bool
    ) -> Tally:
        """Batch by batch; what was done so far is told whatever ends it."""
        tally = Tally()
        with DeadLetterWalk(self._dead_letters, self._source, before=self._now()) as walk:
            try:
                for batch in walk.batches(selection):
                    work(batch)
                    tally = tally._replace(done=tally.done + len(batch), undeleted=len(batch) * delete)
                    if delete:
                        self._delete(walk, [message for message, _ in batch])
                        tally = tally._replace(undeleted=0)
            except DeletionError as error:
                tally = tally._replace(undeleted=error.count, problem=str(error))
            except (ArchiveError, InfrastructureError) as error:
                tally = tally._replace(problem=str(error))
            except KeyboardInterrupt:
                tally = _interrupted(tally)
        return tally._replace(left=walk.left)

    def _delete(self, walk: DeadLetterWalk, messages: Sequence[QueueMessage]) -> None:
        self._dead_letters.delete(messages)
        walk.drop(messages)


def _interrupted(tally: Tally) -> Tally:
    return tally._replace(problem=INTERRUPTED, interrupted=True)


def stored(message: QueueMessage) -> StoredMessage:
    """A received message as it is archived and exported."""
    return StoredMessage(
        id=message.id,
        sent_at=message.sent_at,
        receive_count=message.receive_count,
        attributes=message.attributes,
        body=message.body,
    )


def received(message: StoredMessage) -> QueueMessage:
    """An archived message as a queue sends it again; it can be neither deleted nor released."""
    return QueueMessage(
        id=message.id,
        body=message.body,
        receipt="",
        receive_count=message.receive_count,
        attributes=message.attributes,
        sent_at=message.sent_at,
    )
