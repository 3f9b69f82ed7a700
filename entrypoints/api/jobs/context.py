"""Collaborators of requests about jobs, as one dependency."""

import asyncio
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, Request

from domain.model.errors import JobNotFoundError
from domain.model.identity import Identity, uuid4_or_none
from domain.model.jobs import Job
from domain.model.result_warnings import ResultWarning
from domain.services.jobs.following import JobFollower
from domain.services.jobs.jobs import NO_SUCH_JOB, JobService
from domain.services.jobs.publications import JobPublications
from entrypoints.api.dependencies import get_container, get_spool, resolved_identity
from entrypoints.api.jobs.schemas import JobSnapshot
from entrypoints.api.jobs.snapshots import snapshot_of
from entrypoints.api.jobs.waiting import JobWaits
from entrypoints.api.uploads.spool import UploadSpool


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
    idle_seconds: float  # time without a byte from the caller
    root_path: str  # under which a proxy publishes the service

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
        publication = await asyncio.to_thread(self.publications.find, job) if job.state.is_final else None
        return snapshot_of(job, publication, self.root_path)


def parsed_id(text: str) -> UUID:
    """Parse the id of a job.

    Raises:
        JobNotFoundError: the text is no id, and so that of no job.
    """
    job_id = uuid4_or_none(text)
    if job_id is None:
        raise JobNotFoundError(NO_SUCH_JOB)
    return job_id


async def get_job_context(request: Request) -> JobContext:
    """Collect the collaborators of a request about jobs.

    Raises:
        InvalidIdentityError: an identity header is given twice, too long or unprintable.
    """
    container = await get_container(request)
    settings = container.settings()
    return JobContext(
        identity=resolved_identity(request, settings.identity_defaults),
        interaction_id=request.state.interaction_id,
        warnings=request.state.warnings,
        jobs=container.job_service(),
        publications=container.job_publications(),
        follower=container.job_follower(),
        waits=request.app.state.job_waits,
        spool=await get_spool(request),
        idle_seconds=settings.upload_idle_seconds,
        root_path=request.scope["root_path"],
    )


JobDependency = Annotated[JobContext, Depends(get_job_context)]
