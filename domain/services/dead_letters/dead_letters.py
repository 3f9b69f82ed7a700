"""What an operator does with dead letters: look at them, archive them, put them back, delete them."""

from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from domain.model.clock import utc_now
from domain.model.errors import ArchiveError, DeletionError, InfrastructureError
from domain.model.messages.archived import ArchivedMessage
from domain.model.messages.dead_letter import Selection
from domain.services.dead_letters.scan import BATCH, INTERRUPTED, DeadLetterScan, Found
from ports.dead_letter_archive_port import DeadLetterArchivePort
from ports.queue_port import QueueDepth, QueueMessage, QueuePort

EVERYTHING = Selection()


class BatchReport(NamedTuple):
    """What became of the dead letters that were meant.

    Attributes:
        done: archived, put back or deleted, as was asked.
        undeleted: of those, how many are in the dead-letter queue still, or may be: deleting them failed, or
            was interrupted.
        skipped: they came after the work had begun, and were left alone.
        problem: what ended the work early; empty where nothing did.
        interrupted: whether Ctrl-C did.
    """

    done: int = 0
    undeleted: int = 0
    skipped: int = 0
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
        with DeadLetterScan(self._dead_letters, self._source) as scan:
            for batch in scan.batches(selection):
                yield from batch

    def archive(self, selection: Selection, archive: DeadLetterArchivePort, *, keep: bool) -> BatchReport:
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

    def purge(self) -> BatchReport:
        """Delete every dead letter that was sent before now.

        Raises:
            InfrastructureError: the queue cannot be read at all.
        """
        return self._work_off(EVERYTHING, lambda _: None, delete=True)

    def restore(self, archive: DeadLetterArchivePort) -> BatchReport:
        """Send what is archived to the queue, as new messages; the archive is left as it is.

        Everything is read before anything is sent. Ctrl-C ends it, and is told.

        Raises:
            ArchiveError: something in the archive cannot be read; nothing was sent.
        """
        kept, report = archive.messages(), BatchReport()
        try:
            for _ in archive.messages():
                pass
            while not report.problem and (batch := [received(one) for one in islice(kept, BATCH)]):
                copies = self._queue.resend(batch)
                sent = sum(copy.id is not None for copy in copies)
                problem = next((f"{copy.original.id}: {copy.problem}" for copy in copies if not copy.id), "")
                report = report._replace(done=report.done + sent, problem=problem)
        except KeyboardInterrupt:
            report = _interrupted(report)
        return report

    def _work_off(
        self, selection: Selection, work: Callable[[Sequence[Found]], None], *, delete: bool
    ) -> BatchReport:
        """Batch by batch; what was done so far is told whatever ends it."""
        report = BatchReport()
        with DeadLetterScan(self._dead_letters, self._source, before=self._now()) as scan:
            try:
                for batch in scan.batches(selection):
                    work(batch)
                    report = report._replace(done=report.done + len(batch), undeleted=len(batch) * delete)
                    if delete:
                        self._delete(scan, [message for message, _ in batch])
                        report = report._replace(undeleted=0)
            except DeletionError as error:
                report = report._replace(undeleted=error.count, problem=str(error))
            except (ArchiveError, InfrastructureError) as error:
                report = report._replace(problem=str(error))
            except KeyboardInterrupt:
                report = _interrupted(report)
        return report._replace(skipped=scan.skipped)

    def _delete(self, scan: DeadLetterScan, messages: Sequence[QueueMessage]) -> None:
        self._dead_letters.delete(messages)
        scan.drop(messages)


def _interrupted(report: BatchReport) -> BatchReport:
    return report._replace(problem=INTERRUPTED, interrupted=True)


def stored(message: QueueMessage) -> ArchivedMessage:
    """A received message as it is archived and exported."""
    return ArchivedMessage(
        id=message.id,
        sent_at=message.sent_at,
        receive_count=message.receive_count,
        attributes=message.attributes,
        body=message.body,
    )


def received(message: ArchivedMessage) -> QueueMessage:
    """An archived message as a queue sends it again; it can be neither deleted nor released."""
    return QueueMessage(
        id=message.id,
        body=message.body,
        receipt="",
        receive_count=message.receive_count,
        attributes=message.attributes,
        sent_at=message.sent_at,
    )
