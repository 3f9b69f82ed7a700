"""Collaborators of requests about jobs, as one dependency."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Request, Security

from domain.model.access import Scope
from domain.model.errors import JobNotFoundError, OutboxUnavailableError
from domain.model.identity import Identity, uuid4_or_none
from domain.model.jobs import Job
from domain.model.result_warnings import ResultWarning
from domain.services.jobs.following import JobFollower
from domain.services.jobs.jobs import NO_SUCH_JOB, JobService
from domain.services.jobs.publications import JobPublications
from entrypoints.api.access import CallerDependency
from entrypoints.api.dependencies import get_container, get_spool
from entrypoints.api.jobs.admission import Admission
from entrypoints.api.jobs.delivery import EventDelivery
from entrypoints.api.jobs.schemas import JobSnapshot
from entrypoints.api.jobs.snapshots import snapshot_of
from entrypoints.api.jobs.waiting import JobWaits
from entrypoints.api.uploads.spool import UploadSpool

logger = logging.getLogger(__name__)


class JobContext(NamedTuple):
    """Collaborators of one request."""

    identity: Identity
    interaction_id: UUID  # of the request
    warnings: tuple[ResultWarning, ...]  # about the request's headers
    jobs: JobService
    publications: JobPublications
    follower: JobFollower
    waits: JobWaits
    spool: UploadSpool
    storing: Executor  # threads that store recordings: a slow store must not take those of everything else
    idle_seconds: float  # time without a byte from the caller
    transport: str  # of the events
    root_path: str  # under which a proxy publishes the service
    admission: Admission  # of the caller to an answer that lasts

    async def find(self, job_id: str) -> Job:
        """Return a job of the caller's tenant.

        Raises:
            JobNotFoundError: there is none, it is another tenant's, or the text is no id.
        """
        return await asyncio.to_thread(self.jobs.find, self.identity.tenant_id, parsed_id(job_id))

    async def changed(self, job: Job, *, timeout_seconds: float) -> bool:
        """Wait until a job has another revision, or is erased; False after the time-out."""
        return await self.waits.changed(self.follower, job, timeout_seconds=timeout_seconds)

    async def ended(self, job: Job, *, timeout_seconds: float) -> Job:
        """Wait until a job has ended, or the time-out is over; return the job as it is then."""
        return await self.waits.ended(self.follower, self.jobs, job, timeout_seconds=timeout_seconds)

    async def snapshot(self, job: Job) -> JobSnapshot:
        """Describe a job; of one that has ended, the state of its event is looked up."""
        (snapshot,) = await self.snapshots([job])
        return snapshot

    async def snapshots(self, jobs: Sequence[Job]) -> list[JobSnapshot]:
        """Describe jobs, with one look at the outbox for all that have ended."""
        ended = [job for job in jobs if job.state.is_final]
        found = await asyncio.to_thread(self.publications.find_all, ended) if ended else {}
        return [snapshot_of(job, found.get(job.id), self.root_path) for job in jobs]

    def delivery(self, job: Job, *, tells_reason: bool) -> EventDelivery:
        """Look up what became of the event of a job; blocks.

        Raises:
            OutboxUnavailableError: the outbox cannot be read.
        """
        record = self.publications.record(job)
        return EventDelivery.of(job, record, transport=self.transport, tells_reason=tells_reason)

    async def accepted_snapshot(self, job: Job) -> JobSnapshot:
        """Describe a job that is accepted: its caller must learn of it, also where its event is unknown."""
        try:
            return await self.snapshot(job)
        except OutboxUnavailableError as error:
            logger.warning("event of an accepted job not looked up", extra={"error": str(error)})
            return snapshot_of(job, None, self.root_path)


def parsed_id(text: str) -> UUID:
    """Parse the id of a job.

    Raises:
        JobNotFoundError: the text is no id, and so that of no job.
    """
    job_id = uuid4_or_none(text)
    if job_id is None:
        raise JobNotFoundError(NO_SUCH_JOB)
    return job_id


async def get_job_context(request: Request, caller: CallerDependency) -> JobContext:
    """Collect the collaborators of a request about jobs."""
    return await job_context(request, caller.identity)


async def job_context(request: Request, identity: Identity) -> JobContext:
    """Collect the collaborators of a request about jobs, whose caller is known."""
    container = await get_container(request)
    settings = container.settings()
    return JobContext(
        identity=identity,
        interaction_id=request.state.interaction_id,
        warnings=request.state.warnings,
        jobs=container.job_service(),
        publications=container.job_publications(),
        follower=container.job_follower(),
        waits=request.app.state.job_waits,
        spool=await get_spool(request),
        storing=request.app.state.storing,
        idle_seconds=settings.upload_idle_seconds,
        transport=str(container.event_transport()),
        root_path=request.scope["root_path"],
        admission=Admission(request),
    )


ReadDependency = Annotated[JobContext, Security(get_job_context, scopes=[Scope.READ])]
WriteDependency = Annotated[JobContext, Security(get_job_context, scopes=[Scope.WRITE])]
