"""A job in memory, as a database has it in a row."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from domain.model.jobs import ExpiredJob, Job, JobCursor, JobQuery, StoredRecording
from domain.model.outbox import MAX_WAIT_SECONDS


@dataclass
class StoredJob:
    """A job with its lease; times are seconds since 1970."""

    job: Job
    created_at: float
    due_at: float
    lease_until: float
    finished_at: float = 0.0
    token: UUID | None = None
    result: str | None = None  # JSON

    def is_leased(self, now: float) -> bool:
        """Check for a valid lease."""
        return now < self.lease_until <= now + MAX_WAIT_SECONDS

    def is_free(self, now: float) -> bool:
        """Check if the job may be claimed."""
        is_due = self.due_at <= now or self.due_at > now + MAX_WAIT_SECONDS
        return not self.job.state.is_final and is_due and not self.is_leased(now)

    @property
    def recording_key(self) -> str | None:
        """Key of the recording, if there is one."""
        recording = self.job.order.recording
        return None if recording is None else recording.key

    @property
    def has_sound(self) -> bool:
        """True if there is a recording, or a source from which it can be fetched."""
        return bool(self.job.order.recording or self.job.order.source_url)

    @property
    def cursor(self) -> JobCursor:
        """Place in a list of jobs."""
        return JobCursor(self.created_at, self.job.id)

    @property
    def tenant_id(self) -> UUID:
        """Tenant of the job."""
        return self.job.order.identity.tenant_id

    def shown(self) -> Job:
        """Return the job as a database does: without its key."""
        return replace(self.job, order=replace(self.job.order, key=None))

    def change(self, now: float, **fields: object) -> None:
        """Record a change that callers see."""
        revision = self.job.revision + 1
        self.job = replace(self.job, revision=revision, updated_at=moment(now), **fields)  # type: ignore[arg-type]  # named by the callers

    def set_recording(self, recording: StoredRecording | None) -> None:
        """Record where the recording is stored."""
        self.job = replace(self.job, order=replace(self.job.order, recording=recording))

    def forget_recording(self) -> ExpiredJob:
        """Empty the recording, and return what is to be deleted next."""
        expired = self.as_expired()
        self.set_recording(None)
        return expired

    def as_expired(self) -> ExpiredJob:
        """Return what is to be deleted next."""
        return ExpiredJob(self.job.id, self.recording_key)

    def is_asked_for(self, query: JobQuery) -> bool:
        """Check if the job belongs to a list."""
        job = self.job
        return (
            query.tenant_id in {None, self.tenant_id}
            and query.state in {None, job.state}
            and (query.created_after is None or job.created_at >= query.created_after)
            and (query.created_before is None or job.created_at < query.created_before)
            and (query.behind is None or self.cursor < query.behind)
        )


def moment(seconds: float) -> datetime:
    """Return the moment so many seconds after 1970."""
    return datetime.fromtimestamp(seconds, UTC)
