"""Erasure of many interactions, for an operator, and after the time for which transcripts are kept."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

from domain.model.clock import utc_now
from domain.model.erasures import ErasedRows, ErasureQuery, PendingObjects
from domain.model.errors import JobStoreUnavailableError, JobUnfinishedError, OutboxUnavailableError
from domain.model.events.erased import ErasureCause
from domain.model.identity import Interaction
from domain.services.erasure.eraser import DeletedObjects, Eraser
from ports.erasure_port import ErasurePort

logger = logging.getLogger(__name__)

PAGE = 200
"""Interactions that are searched for at once."""
INTERRUPTED = "interrupted; run the same command again to do the rest"
NOT_SCRUBBED = "the log of the database could not be emptied, another process reads it; repeat the command"
RETENTION = "retention"
"""Who requests the erasure of transcripts whose time is over."""
SEARCH_SECONDS = 3600.0
"""Time between two searches for transcripts whose time is over."""
MAX_FAILURES = 3
"""Failures in a row after which the maintenance leaves the objects to an operator."""

Cancel = Callable[[UUID, UUID], object]
"""Cancels a job by its tenant and its id, unless it has ended."""


@dataclass(slots=True)
class ErasureReport:
    """Result of an erasure: how much was erased, by store, and what is left."""

    interactions: int = 0
    cancelled: int = 0  # jobs that had not ended
    jobs: int = 0
    events: int = 0  # events with texts in the outbox
    answers: int = 0  # answers to idempotency keys
    recordings: int = 0
    payloads: int = 0  # objects of large transcripts, each version counted
    announced: int = 0  # events of erasures, which the relay sends
    pending: dict[UUID, str] = field(default_factory=dict)  # what is left outside the database, and why
    problem: str = ""  # what ended the erasure early; empty where it completed
    interrupted: bool = False  # whether Ctrl-C did

    @property
    def ok(self) -> bool:
        """True where nothing is left that could be erased."""
        return not (self.problem or self.pending)

    def add_rows(self, rows: ErasedRows) -> None:
        """Count the rows of one interaction."""
        self.interactions += 1
        self.jobs += rows.jobs
        self.events += rows.events
        self.answers += rows.answers
        self.announced += rows.announced

    def add_objects(self, pending: PendingObjects, objects: DeletedObjects) -> None:
        """Count deleted objects, and note why others are left."""
        self.recordings += objects.recordings
        self.payloads += objects.payloads
        if objects.problems:
            self.pending[pending.interaction_id] = "; ".join(objects.problems)


class TranscriptErasure:
    """Erases interactions; may be interrupted at any point, and is completed by repeating it."""

    def __init__(self, erasures: ErasurePort, eraser: Eraser, cancel: Cancel) -> None:
        self._erasures = erasures
        self._eraser = eraser
        self._cancel = cancel

    def find(self, query: ErasureQuery) -> Iterator[Interaction]:
        """Yield what `run` would erase; erasing it meanwhile does no harm.

        That includes a named interaction that no store knows any more, such as that of a pruned event.

        Raises:
            JobStoreUnavailableError: the database failed.
        """
        found = None
        for found in self._stored(query):
            yield found
        if found is None:
            yield from self._unknown(query)

    def run(self, query: ErasureQuery, *, requested_by: str, cause: ErasureCause) -> ErasureReport:
        """Erase all that the query finds, then the objects that are pending; failures are reported."""
        report = ErasureReport()
        with _reporting(report):
            for interaction in self.find(query):
                self._erase(interaction, requested_by, cause, report)
            self.finish_pending(query, report)
        return report

    def run_pending(self, query: ErasureQuery) -> ErasureReport:
        """Delete the objects of earlier erasures alone; failures are reported."""
        report = ErasureReport()
        with _reporting(report):
            self.finish_pending(query, report)
        return report

    def erase_expired(self, interaction: Interaction, report: ErasureReport) -> None:
        """Erase the rows of an interaction whose time is over.

        Raises:
            JobStoreUnavailableError: the database failed.
        """
        rows = self._eraser.erase_rows(interaction, requested_by=RETENTION, cause=ErasureCause.RETENTION)
        report.add_rows(rows)

    def finish_pending(
        self, query: ErasureQuery, report: ErasureReport, *, max_failures: int | None = None
    ) -> None:
        """Delete the objects of erased interactions, of the query's tenant or of all; empty the log.

        Args:
            query: tenant and id are regarded; one user's objects are not told from another's.
            report: counts what is deleted.
            max_failures: failures in a row after which the rest is left; None for no limit.

        Raises:
            JobStoreUnavailableError: the database failed.
        """
        failures = 0
        for pending in self._pending(query):
            objects = self._eraser.delete_objects(pending)
            report.add_objects(pending, objects)
            failures = failures + 1 if objects.problems else 0
            if failures == max_failures:
                break
        if not self._erasures.scrub():
            report.problem = NOT_SCRUBBED

    def _stored(self, query: ErasureQuery) -> Iterator[Interaction]:
        behind: UUID | None = None
        while page := self._erasures.find(query, limit=PAGE, behind=behind):
            yield from page
            behind = page[-1].id

    def _unknown(self, query: ErasureQuery) -> Iterator[Interaction]:
        """Yield the interaction that the query names, unless a store has it: then the query excludes it."""
        if query.interaction_id is None or query.tenant_id is None:
            return
        if not self._erasures.find(ErasureQuery(interaction_id=query.interaction_id), limit=1):
            yield Interaction(query.interaction_id, query.tenant_id, query.user_id)

    def _erase(
        self, interaction: Interaction, requested_by: str, cause: ErasureCause, report: ErasureReport
    ) -> None:
        """Erase an interaction; a job that has not ended is cancelled first."""
        try:
            rows = self._eraser.erase_rows(interaction, requested_by=requested_by, cause=cause)
        except JobUnfinishedError:
            self._cancel(interaction.tenant_id, interaction.id)
            report.cancelled += 1
            rows = self._eraser.erase_rows(interaction, requested_by=requested_by, cause=cause)
        report.add_rows(rows)

    def _pending(self, query: ErasureQuery) -> Iterator[PendingObjects]:
        behind: UUID | None = None
        while page := self._erasures.pending(PAGE, interaction_id=query.interaction_id, behind=behind):
            yield from (each for each in page if query.tenant_id in {None, each.tenant_id})
            behind = page[-1].interaction_id


@contextmanager
def _reporting(report: ErasureReport) -> Iterator[None]:
    """Note a failure of a store, and Ctrl-C, in the report."""
    try:
        yield
    except (JobStoreUnavailableError, OutboxUnavailableError, JobUnfinishedError) as error:
        report.problem = str(error)
    except KeyboardInterrupt:
        report.problem, report.interrupted = INTERRUPTED, True


class TranscriptRetention:
    """Erases transcripts once they are older than `keep_days`; never a running job or an unsent event."""

    def __init__(
        self,
        erasure: Callable[[], TranscriptErasure],  # built on first use
        *,
        keep_days: float | None,  # None: transcripts are kept
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._erasure = erasure
        self._keep_days = keep_days
        self._now = now
        self._clock = clock
        self._search_at = clock()

    def sweep(self, stop: Event) -> None:
        """Erase what is due, about once an hour; ends soon after `stop` is set.

        Raises:
            JobStoreUnavailableError: the database failed; the next sweep tries again.
        """
        if self._keep_days is None or self._clock() < self._search_at:
            return
        self._search_at = self._clock() + SEARCH_SECONDS
        erasure, report = self._erasure(), ErasureReport()
        before = self._now() - timedelta(days=self._keep_days)
        for interaction in erasure.find(ErasureQuery(before=before, only_settled=True)):
            if stop.is_set():
                return
            erasure.erase_expired(interaction, report)
        erasure.finish_pending(ErasureQuery(), report, max_failures=MAX_FAILURES)
        if report.interactions:
            logger.info("transcripts erased, their time was over", extra={"erased": report.interactions})
