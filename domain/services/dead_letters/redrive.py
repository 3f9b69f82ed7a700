"""Redrive of dead letters to the queue they came from, without loss even where it is interrupted.

Each message is sent to the queue as an identical copy, and only then deleted. Where all are selected, the
queue service moves them itself, and only the rest is copied here. A message that is dead-lettered again is
recognised by its id or sending time and left alone, so that a redrive ends even while consumers keep failing.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from domain.model.clock import utc_now
from domain.model.errors import DeletionError, InfrastructureError, JobStoreUnavailableError
from domain.model.events.kinds import EventKind
from domain.model.messages.dead_letter import Selection
from domain.services.dead_letters.scan import INTERRUPTED, DeadLetterScan, Found
from ports.move_task_port import MoveProgress, MoveTaskPort
from ports.queue_port import QueueMessage, QueuePort

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
MAX_CONSECUTIVE_FAILURES = 3
"""Consecutive batches without a sent message after which redrive and restore end: the queues are at fault."""

FindErased = Callable[[Sequence[UUID]], frozenset[UUID]]
"""Finds those of the interactions that were erased; raises `JobStoreUnavailableError`."""

Report = Callable[[int, int | None], None]
"""Callback with the number of messages moved so far, and the total where it is known."""


@dataclass(slots=True)
class RedriveReport:
    """Result of redriving the selected dead letters."""

    moved: int = 0  # number of messages in the queue; approximate where the queue service moved them
    undeleted: int = 0  # number of those that may be in both queues: deleting them failed or was interrupted
    failed: int = 0  # number of messages that could not be copied and stay in the dead-letter queue
    # number of messages that arrived after the start, or came straight back, and were left alone
    skipped: int = 0
    erased: int = 0  # number of messages whose transcripts were erased, and that were left alone
    problem: str = ""  # the first failure; empty where there was none
    interrupted: bool = False  # whether Ctrl-C ended the redrive

    @property
    def ok(self) -> bool:
        """True where every selected message was moved."""
        return not (self.problem or self.undeleted or self.failed)

    def note_problem(self, problem: str) -> None:
        """Record the failure if it is the first one."""
        self.problem = self.problem or problem


class Redrive:
    """Redrives from one dead-letter queue to one queue."""

    def __init__(
        self,
        dead_letters: QueuePort,
        queue: QueuePort,
        move_task: MoveTaskPort,  # the queue service's own move of the whole queue
        *,
        source: str,  # the source that the events should have
        kind: EventKind = EventKind.COMPLETED,  # the kind that they should be of
        erased: FindErased | None = None,  # None where no interaction was erased, as far as is known
        now: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dead_letters = dead_letters
        self._queue = queue
        self._move_task = move_task
        self._source = source
        self._kind = kind
        self._erased = erased
        self._now = now
        self._pause = pause

    def run(self, selection: Selection, report: Report = lambda *_: None) -> RedriveReport:
        """Move the selected messages; release all others. Ctrl-C ends the redrive and is reported.

        A transcript that was erased is not sent again; the queue service's own move could not tell.

        Raises:
            InfrastructureError: the dead-letter queue cannot be read, or has a redrive policy of its own.
        """
        outcome = RedriveReport()
        with DeadLetterScan(self._dead_letters, self._source, kind=self._kind, before=self._now()) as scan:
            try:
                if selection.is_everything and self._erased is None:
                    self._by_task(outcome, report)
                self._by_hand(scan, selection, outcome, report)
            except (InfrastructureError, JobStoreUnavailableError) as error:
                outcome.note_problem(str(error))
            except KeyboardInterrupt:
                outcome.interrupted = True
                outcome.note_problem(INTERRUPTED)
            outcome.skipped = scan.skipped
        return outcome

    def _by_task(self, outcome: RedriveReport, report: Report) -> None:
        """Let the queue service move messages; those that it leaves are copied afterwards."""
        try:
            self._move_task.start()
            try:
                for progress in self._progress():
                    outcome.moved = progress.moved
                    report(outcome.moved, progress.total)
            finally:
                self._move_task.cancel()
        except InfrastructureError as error:
            logger.info("move task failed, messages are copied one by one", extra={"reason": str(error)})

    def _progress(self) -> Iterator[MoveProgress]:
        """Yield progress until the task ends, or has moved more messages than there were: some come back."""
        while True:
            progress = self._move_task.progress()
            yield progress
            if progress.problem:
                logger.warning(
                    "move task ended early, the rest is copied", extra={"reason": progress.problem}
                )
            if not progress.running or (progress.total is not None and progress.moved > progress.total):
                return
            self._pause(POLL_SECONDS)

    def _by_hand(
        self, scan: DeadLetterScan, selection: Selection, outcome: RedriveReport, report: Report
    ) -> None:
        consecutive_failures = 0
        for batch in _first_alone(self._chosen(scan, selection, outcome)):
            consecutive_failures = 0 if self._move(scan, batch, outcome) else consecutive_failures + 1
            report(outcome.moved, None)
            if consecutive_failures == MAX_CONSECUTIVE_FAILURES:
                return

    def _chosen(
        self, scan: DeadLetterScan, selection: Selection, outcome: RedriveReport
    ) -> Iterator[list[Found]]:
        """Yield the selected messages without erased ones, which do not count towards the limit."""
        left = selection.limit
        for batch in scan.batches(replace(selection, limit=None)):
            kept = list(islice(self._without_erased(batch, outcome), left))
            if kept:
                yield kept
            left = None if left is None else left - len(kept)
            if left == 0:
                return

    def _without_erased(self, batch: Sequence[Found], outcome: RedriveReport) -> Iterator[Found]:
        """Leave out messages whose transcripts were erased, and count them."""
        ids = [found.letter.reading.interaction_id for found in batch]
        gone = self._erased([each for each in ids if each]) if self._erased else frozenset()
        for found, each in zip(batch, ids, strict=True):
            if each in gone:
                outcome.erased += 1
            else:
                yield found

    def _move(self, scan: DeadLetterScan, messages: Sequence[QueueMessage], outcome: RedriveReport) -> bool:
        """Send copies, then delete the originals; return True where any message was moved completely."""
        copies = self._queue.resend(messages)
        sent = [copy for copy in copies if copy.id]
        scan.ignore([copy.id for copy in copies if copy.id])
        for copy in copies:
            if not copy.id:
                outcome.failed += 1
                outcome.note_problem(f"{copy.original.id} could not be copied: {copy.problem}")
        outcome.moved += len(sent)
        return self._delete(scan, [copy.original for copy in sent], outcome) > 0

    def _delete(self, scan: DeadLetterScan, messages: Sequence[QueueMessage], outcome: RedriveReport) -> int:
        """Delete messages and return how many are gone; another redrive may duplicate the others."""
        try:
            self._dead_letters.delete(messages)
        except DeletionError as error:
            outcome.undeleted += error.count
            outcome.note_problem(str(error))
            return len(messages) - error.count
        except KeyboardInterrupt:
            outcome.undeleted += len(messages)
            raise
        scan.drop(messages)
        return len(messages)


def _first_alone(batches: Iterator[list[Found]]) -> Iterator[list[QueueMessage]]:
    """Split the first batch after its first message, so that a failure to move affects that one alone."""
    for number, batch in enumerate(batches):
        messages = [message for message, _ in batch]
        yield from filter(None, (messages[:1], messages[1:]) if number == 0 else (messages,))
