"""Events of jobs: the one event that tells how a job ended, unless its kind is not published."""

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from domain.model.clock import utc_now
from domain.model.events.event import BatchProcessingCompleted, TranscriptData
from domain.model.events.failed import BatchProcessingFailed, FailureData
from domain.model.events.kinds import EventKind
from domain.model.jobs import Job, JobResult


class JobAnnouncement:
    """Builds the terminal events of jobs; the job store puts them into the outbox.

    The process that accepts a job decides which events it has, and not the one that ends it, whose settings
    may differ.
    """

    def __init__(
        self,
        *,
        kinds: tuple[EventKind, ...],  # of the events of new jobs; none without a bus
        wake: Callable[[], None],  # tells the relay that there is work
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.kinds = kinds
        self._now = now
        self.wake = wake

    def of_completion(self, job: Job, result: JobResult) -> BatchProcessingCompleted | None:
        """Build the event of a completed job; None where it is not to be published."""
        if EventKind.COMPLETED not in job.order.event_kinds:
            return None
        return BatchProcessingCompleted(
            **self._fields(job),
            data=TranscriptData(
                raw_transcript=result.transcript.text, cleaned_transcript=result.cleaned_text
            ),
        )

    def of_failure(self, job: Job, problem: FailureData) -> BatchProcessingFailed | None:
        """Build the event of a failed or cancelled job; None where it is not to be published."""
        if EventKind.FAILED not in job.order.event_kinds:
            return None
        return BatchProcessingFailed(**self._fields(job), data=problem)

    def _fields(self, job: Job) -> "_SharedFields":
        identity = job.order.identity
        return _SharedFields(
            interaction_id=job.id,
            tenant_id=identity.tenant_id,
            user_id=identity.user_id,
            account_id=identity.account_id,
            timestamp=self._now(),
        )


class _SharedFields(TypedDict):
    """Fields that both events have."""

    interaction_id: UUID
    tenant_id: UUID
    user_id: str
    account_id: str | None
    timestamp: datetime
