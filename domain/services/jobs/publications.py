"""Publication of the events of jobs, as their callers see it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.model.events.event import Publication, PublicationStatus
from domain.model.jobs import Job
from domain.model.outbox import EventStatus, OutboxRecord, OutboxState
from ports.outbox_port import OutboxPort

_STATUS = {
    OutboxState.WAITING: PublicationStatus.QUEUED,
    OutboxState.PUBLISHED: PublicationStatus.PUBLISHED,
    OutboxState.REJECTED: PublicationStatus.FAILED,
}


class JobPublications:
    """Looks up in the outbox what became of the events of jobs; blocks."""

    def __init__(self, outbox: OutboxPort) -> None:
        self._outbox = outbox

    def find(self, job: Job) -> Publication | None:
        """Return the state of a job's event; None before the job's end.

        Raises:
            OutboxUnavailableError: the outbox cannot be read.
        """
        return self.find_all([job])[job.id]

    def record(self, job: Job) -> OutboxRecord | None:
        """Return what the outbox knows of a job's event; None where there is none, or none any more.

        Raises:
            OutboxUnavailableError: the outbox cannot be read.
        """
        return None if job.event_id is None else self._outbox.find(job.event_id)

    def find_all(self, jobs: Sequence[Job]) -> dict[UUID, Publication | None]:
        """Return the same of many jobs by their ids, with one question to the outbox at most.

        Raises:
            OutboxUnavailableError: the outbox cannot be read.
        """
        asked = [job.event_id for job in jobs if job.state.is_final and job.event_id is not None]
        found = self._outbox.statuses(asked) if asked else {}
        return {job.id: _publication(job, found) for job in jobs}


def _publication(job: Job, found: Mapping[UUID, EventStatus]) -> Publication | None:
    """Derive the state of an event; one that is not there was published, since no other is deleted."""
    if not job.state.is_final:
        return None
    if job.event_id is None:
        return Publication(PublicationStatus.DISABLED)
    if (status := found.get(job.event_id)) is None:
        return Publication(PublicationStatus.PUBLISHED)
    return Publication(_STATUS[status.state], status.event_id)
