"""An operator's actions on dead letters: list, archive, restore, purge."""

from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from domain.model.clock import utc_now
from domain.model.errors import ArchiveError, DeletionError, InfrastructureError
from domain.model.events.kinds import EventKind
from domain.model.messages.archived import ArchivedMessage
from domain.model.messages.dead_letter import Selection
from domain.services.dead_letters.redrive import MAX_CONSECUTIVE_FAILURES
from domain.services.dead_letters.scan import INTERRUPTED, DeadLetterScan, Found
from ports.dead_letter_archive_port import DeadLetterArchivePort
from ports.queue_port import MAX_RECEIVE, Copy, QueueDepth, QueueMessage, QueuePort

EVERYTHING = Selection()


class BatchReport(NamedTuple):
    """Result of an action on the selected dead letters."""

    done: int = 0  # number of messages archived, restored or deleted
    # number of those that may still be in the dead-letter queue: deleting them failed or was interrupted
    undeleted: int = 0
    failed: int = 0  # number of messages that the queue refused when they were restored; the archive has them
    skipped: int = 0  # number of messages that arrived after the start and were left alone
    problem: str = ""  # the first failure, which ends every action but a restore; empty where there was none
    interrupted: bool = False  # whether Ctrl-C ended the action

    @property
    def ok(self) -> bool:
        """True where the action completed without a failure."""
        return not self.problem


class DeadLetters:
    """The dead letters of one queue."""

    def __init__(
        self,
        dead_letters: QueuePort,
        queue: QueuePort,
        *,
        source: str,  # the source that their events should have
        kind: EventKind = EventKind.COMPLETED,  # the kind that they should be of
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._dead_letters = dead_letters
        self._queue = queue
        self._source = source
        self._kind = kind
        self._now = now

    def depth(self) -> QueueDepth:
        """Return the approximate counts; messages in flight are held by other readers.

        Raises:
            InfrastructureError: the queue cannot be read.
        """
        return self._dead_letters.depth()

    def each(self, selection: Selection = EVERYTHING) -> Generator[Found, None, None]:
        """Yield each selected dead letter; all are released when the generator ends or is closed.

        Raises:
            InfrastructureError: the queue cannot be read.
        """
        with DeadLetterScan(self._dead_letters, self._source, kind=self._kind) as scan:
            for batch in scan.batches(selection):
                yield from batch

    def archive(self, selection: Selection, archive: DeadLetterArchivePort, *, keep: bool) -> BatchReport:
        """Archive the selected dead letters, and delete each from the queue once it is stored, unless `keep`.

        Raises:
            InfrastructureError: the queue cannot be read at all.
        """

        def store(batch: Sequence[Found]) -> None:
            for message, _ in batch:
                archive.keep(stored(message))

        return self._process(selection, store, delete=not keep)

    def purge(self) -> BatchReport:
        """Delete every dead letter that was sent before now.

        Raises:
            InfrastructureError: the queue cannot be read at all.
        """
        return self._process(EVERYTHING, lambda _: None, delete=True)

    def restore(self, archive: DeadLetterArchivePort) -> BatchReport:
        """Send all archived messages to the queue as new ones; the archive is not changed.

        The whole archive is read before the first message is sent. A message that the queue refuses does not
        keep the others back. Ctrl-C ends the action and is reported.

        Raises:
            ArchiveError: an object of the archive cannot be read; no message was sent.
        """
        kept, report, consecutive_failures = archive.messages(), BatchReport(), 0
        try:
            for _ in archive.messages():
                pass
            while batch := [received(one) for one in islice(kept, MAX_RECEIVE)]:
                copies = self._queue.resend(batch)
                report = _with_copies(report, copies)
                sent = any(copy.id for copy in copies)
                consecutive_failures = 0 if sent else consecutive_failures + 1
                if consecutive_failures == MAX_CONSECUTIVE_FAILURES:
                    break
        except KeyboardInterrupt:
            report = _interrupted(report)
        return report

    def _process(
        self, selection: Selection, work: Callable[[Sequence[Found]], None], *, delete: bool
    ) -> BatchReport:
        """Process batch by batch; the report covers the work done before a failure or an interrupt."""
        report = BatchReport()
        with DeadLetterScan(self._dead_letters, self._source, kind=self._kind, before=self._now()) as scan:
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
    return report._replace(problem=report.problem or INTERRUPTED, interrupted=True)


def _with_copies(report: BatchReport, copies: Sequence[Copy]) -> BatchReport:
    refused = [copy for copy in copies if not copy.id]
    problem = next((f"{copy.original.id}: {copy.problem}" for copy in refused), "")
    return report._replace(
        done=report.done + len(copies) - len(refused),
        failed=report.failed + len(refused),
        problem=report.problem or problem,
    )


def stored(message: QueueMessage) -> ArchivedMessage:
    """Convert a received message to its archived form."""
    return ArchivedMessage(
        id=message.id,
        sent_at=message.sent_at,
        receive_count=message.receive_count,
        attributes=message.attributes,
        body=message.body,
    )


def received(message: ArchivedMessage) -> QueueMessage:
    """Convert an archived message for sending; it cannot be deleted or released."""
    return QueueMessage(
        id=message.id,
        body=message.body,
        receipt="",
        receive_count=message.receive_count,
        attributes=message.attributes,
        sent_at=message.sent_at,
    )
