"""Uploads whose callers prefer a job to a late answer (RFC 7240)."""

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import Response

from domain.model.errors import JobNotFoundError, JobStoreUnavailableError, OutboxUnavailableError
from domain.model.identity import Identity
from domain.model.jobs import Job
from entrypoints.api.disconnects import while_connected
from entrypoints.api.jobs.context import JobContext, job_context
from entrypoints.api.jobs.preferences import APPLIED_HEADER, Preferences
from entrypoints.api.jobs.snapshots import accepted, batch_response, with_replaced_id
from entrypoints.api.jobs.submission import submit_upload
from entrypoints.api.problems import problem_of_job, problem_response
from entrypoints.api.representations import represented

logger = logging.getLogger(__name__)


async def process_as_job(
    request: Request, identity: Identity, preferences: Preferences, media_type: str
) -> Response:
    """Submit the upload of a request as a job, and answer with its end, or 202 where that comes too late.

    Raises:
        CallerLeftError: the caller disconnected while it waited; the job goes on.
        TranscriptionServiceError: the job cannot be accepted (see `submit_upload`).
    """
    context = await job_context(request, identity)
    job = await submit_upload(request, context)
    if preferences.wait_seconds:
        waiting = context.ended(job, timeout_seconds=preferences.wait_seconds)
        job = await while_connected(request, waiting)
    is_async = not (preferences.wait_seconds and job.state.is_final)
    end = None if is_async else await _end_if_readable(context, job, media_type)
    answer = await _accepted(request, context, job) if end is None else end
    answer.headers[APPLIED_HEADER] = preferences.applied(is_async=end is None)
    return answer


async def _end_if_readable(context: JobContext, job: Job, media_type: str) -> Response | None:
    """Answer with the end of a job; None where it cannot be read: the job is accepted all the same."""
    try:
        return await end_of(context, job, media_type)
    except (JobNotFoundError, JobStoreUnavailableError, OutboxUnavailableError) as error:
        logger.warning("end of a job not read, the caller is told to look later", extra={"error": str(error)})
        return None


async def end_of(context: JobContext, job: Job, media_type: str) -> Response:
    """Answer with the transcript of a job that has ended, or with its problem."""
    if job.problem is not None:
        status, title = problem_of_job(job.problem.reason)
        return problem_response(status, title=title, detail=job.problem.detail, name=job.problem.reason)
    return await transcript_of(context, job, media_type)


async def transcript_of(context: JobContext, job: Job, media_type: str) -> Response:
    """Answer with the transcript of a completed job.

    Raises:
        JobUnfinishedError: the job has not ended.
        JobWithoutTranscriptError: the job failed or was cancelled.
    """

    def response() -> Response:
        found, result = context.jobs.result(job.order.identity.tenant_id, job.id)
        publication = context.publications.find(found)
        assert publication is not None  # noqa: S101 - the job has a transcript, so it has ended
        return represented(batch_response(found, result, publication), media_type)

    return await asyncio.to_thread(response)


async def _accepted(request: Request, context: JobContext, job: Job) -> Response:
    return accepted(with_replaced_id(request, await context.accepted_snapshot(job)))
