"""Puts dead letters back into the queue they came from; interrupted at any point, it loses none.

By hand, each is sent to the queue as an identical copy, and only then deleted. Where all of them are meant,
the queue service moves them itself, and by hand goes only what it left. What comes straight back is told by
its id or by when it was sent, and left alone: a redrive ends whatever consumers do meanwhile.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.model.clock import utc_now
from domain.model.errors import DeletionError, InfrastructureError
from domain.model.messages.dead_letter import Selection
from domain.services.dead_letters.scan import INTERRUPTED, DeadLetterScan, Found
from ports.move_task_port import MoveProgress, MoveTaskPort
from ports.queue_port import QueueMessage, QueuePort

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
MAX_CONSECUTIVE_FAILURES = 3
"""After so many batches in a row of which nothing could be moved, the queues are at fault and not they."""

Report = Callable[[int, int | None], None]
"""Told how many were moved so far, and of how many, where that is known."""


@dataclass(slots=True)
class RedriveReport:
    """What became of the dead letters that were meant.

    Attributes:
        moved: they are in the queue; roughly, where the queue service moved them itself.
        undeleted: of those, how many are in both queues, or may be: deleting them failed, or was interrupted.
        failed: they could not be copied, and are where they were.
        skipped: they came after the redrive had begun, or came straight back, and were left alone.
        problem: what went wrong first; empty where nothing did.
        interrupted: whether Ctrl-C ended it.
    """

    moved: int = 0
    undeleted: int = 0
    failed: int = 0
    skipped: int = 0
    problem: str = ""
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything that was found is where it should be."""
        return not (self.problem or self.undeleted or self.failed)

    def note_problem(self, problem: str) -> None:
        """Remember what went wrong first."""
        self.problem = self.problem or problem


class Redrive:
    """Redrives from one dead-letter queue to one queue.

    Args:
        move_task: moves everything at once.
        source: whose events they should be.
    """

    def __init__(
        self,
        dead_letters: QueuePort,
        queue: QueuePort,
        move_task: MoveTaskPort,
        *,
        source: str,
        now: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dead_letters = dead_letters
        self._queue = queue
        self._move_task = move_task
        self._source = source
        self._now = now
        self._pause = pause

    def run(self, selection: Selection, report: Report = lambda *_: None) -> RedriveReport:
        """Move what is meant; what is not meant is looked at and released. Ctrl-C ends it, and is told.

        Raises:
            InfrastructureError: the dead-letter queue cannot be read, or moves messages on by itself.
        """
        outcome = RedriveReport()
        with DeadLetterScan(self._dead_letters, self._source, before=self._now()) as scan:
            try:
                if selection.is_everything:
                    self._by_task(outcome, report)
                self._by_hand(scan, selection, outcome, report)
            except InfrastructureError as error:
                outcome.note_problem(str(error))
            except KeyboardInterrupt:
                outcome.interrupted = True
                outcome.note_problem(INTERRUPTED)
            outcome.skipped = scan.skipped
        return outcome

    def _by_task(self, outcome: RedriveReport, report: Report) -> None:
        """Have the queue service move what it will; what it does not move is left to be moved by hand."""
        try:
            self._move_task.start()
            try:
                for progress in self._progress():
                    outcome.moved = progress.moved
                    report(outcome.moved, progress.total)
            finally:
                self._move_task.cancel()
        except InfrastructureError as error:
            logger.info("messages are moved by hand", extra={"reason": str(error)})

    def _progress(self) -> Iterator[MoveProgress]:
        """Until it ends, or has moved more than there was: then some come back as fast as they leave."""
        while True:
            progress = self._move_task.progress()
            yield progress
            if progress.problem:
                logger.warning("the move ended early", extra={"reason": progress.problem})
            if not progress.running or (progress.total is not None and progress.moved > progress.total):
                return
            self._pause(POLL_SECONDS)

    def _by_hand(
        self, scan: DeadLetterScan, selection: Selection, outcome: RedriveReport, report: Report
    ) -> None:
        consecutive_failures = 0
        for batch in _first_alone(scan.batches(selection)):
            consecutive_failures = 0 if self._move(scan, batch, outcome) else consecutive_failures + 1
            report(outcome.moved, None)
            if consecutive_failures == MAX_CONSECUTIVE_FAILURES:
                return

    def _move(self, scan: DeadLetterScan, messages: Sequence[QueueMessage], outcome: RedriveReport) -> bool:
        """Copy first, delete then; tells whether any of them is in the queue, and there alone."""
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
        """How many are gone. The others may have been received by another redrive meanwhile: duplicates."""
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
    """If the first one cannot be moved, few others have been touched."""
    for number, batch in enumerate(batches):
        messages = [message for message, _ in batch]
        yield from filter(None, (messages[:1], messages[1:]) if number == 0 else (messages,))
