"""Publication of the events of jobs, as their callers see it."""

from domain.model.events.event import Publication, PublicationStatus
from domain.model.jobs import Job
from domain.model.outbox import OutboxRecord, OutboxState
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
        if not job.state.is_final:
            return None
        if job.event_id is None:
            return Publication(PublicationStatus.DISABLED)
        return _publication(self._outbox.find(job.event_id))


def _publication(record: OutboxRecord | None) -> Publication:
    """Derive the state from a record; one that is not there was published, since no other is deleted."""
    if record is None:
        return Publication(PublicationStatus.PUBLISHED)
    return Publication(_STATUS[record.state], record.event_id)
