"""`/batch/jobs`: recordings that are transcribed although connections and processes end."""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from domain.model import errors
from domain.model.access import Scope
from domain.model.jobs import MAX_PAGE, JobState
from entrypoints.api import problems
from entrypoints.api.description import ACCESS, Described, problem_responses
from entrypoints.api.disconnects import while_connected
from entrypoints.api.jobs.context import ReadDependency, WriteDependency
from entrypoints.api.jobs.delivery import EventDelivery
from entrypoints.api.jobs.events import LAST_EVENT_HEADER, MEDIA_TYPE, event_stream
from entrypoints.api.jobs.lists import list_stream, listed
from entrypoints.api.jobs.playback import PlaybackDependency
from entrypoints.api.jobs.preferred import transcript_of
from entrypoints.api.jobs.queries import (
    CANCEL,
    DEFAULT_PAGE,
    MAX_WAIT_SECONDS,
    only_cancels,
    read_query,
    wait_seconds,
)
from entrypoints.api.jobs.schemas import JobList, JobSnapshot
from entrypoints.api.jobs.snapshots import (
    PRIVATE,
    accepted,
    is_current,
    not_modified,
    shown,
    with_replaced_id,
)
from entrypoints.api.jobs.submission import submit
from entrypoints.api.representations import accepted_type
from entrypoints.api.request_description import JOB_BODY, JOB_FORM, TENANT, UPLOAD, header, query
from entrypoints.api.response_description import ACCEPTED_JOB, NOT_MODIFIED, SNAPSHOT, TEXT, TRANSCRIPT
from entrypoints.api.schemas import BatchResponse

router = APIRouter(prefix="/batch/jobs", tags=["jobs"])

_LOOK = (
    *ACCESS,
    errors.JobNotFoundError,
    errors.JobStoreUnavailableError,
    errors.OutboxUnavailableError,
)
_LIST = (
    *ACCESS,
    problems.InvalidParameterError,
    errors.JobStoreUnavailableError,
    errors.OutboxUnavailableError,
)
_SUBMIT = (
    *ACCESS,
    errors.MissingRecordingError,
    errors.EmptyRecordingError,
    errors.RecordingTooLargeError,
    errors.SourceRefusedError,
    errors.IdempotencyConflictError,
    errors.JobStoreUnavailableError,
    errors.RecordingStoreUnavailableError,
    problems.InvalidIdempotencyKeyError,
    problems.InvalidParameterError,
    problems.MalformedUploadError,
    problems.StalledUploadError,
    problems.UnsupportedMediaTypeError,
    problems.UnsupportedContentCodingError,
    problems.StorageFullError,
    problems.TooManyUploadsError,
    problems.ShuttingDownError,
)
_BODY: Described = {
    "required": True,
    "content": {"multipart/form-data": {"schema": JOB_FORM}, "application/json": {"schema": JOB_BODY}},
}
_TIME: Described = {"type": "string", "format": "date-time"}
_FILTERS = (
    query("state", "Jobs in this state alone.", {"type": "string", "enum": [*JobState]}),
    query("created_after", "Jobs that were accepted then or later.", _TIME),
    query("created_before", "Jobs that were accepted before.", _TIME),
    query(
        "limit",
        "Jobs on a page.",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
    ),
    query("cursor", "Place behind which the page begins: follow `next`.", TEXT),
)
_WAIT = query(
    "wait",
    "Seconds to wait for another snapshot than that of `If-None-Match`, or than the present one.",
    {"type": "number", "minimum": 0, "maximum": MAX_WAIT_SECONDS, "default": 0},
)
_ONLY = query(
    "only",
    "With `cancel`, a job that has ended is answered as it is, and not erased.",
    {"type": "string", "enum": [CANCEL]},
)
_KNOWN = header("If-None-Match", "Entity tags of known snapshots: 304 for one of these.", TEXT)
_LAST = header(LAST_EVENT_HEADER, "Revision that the client has; 204 where it is the final one.", TEXT)


@router.post(
    "",
    operation_id="submit_job",
    status_code=HTTPStatus.ACCEPTED,
    responses={202: ACCEPTED_JOB, **problem_responses(*_SUBMIT)},
    openapi_extra={"requestBody": _BODY, "parameters": [*UPLOAD]},
    response_class=Response,
)
async def submit_job(request: Request, context: WriteDependency) -> Response:
    """Accept a recording as a job; it is durable when this is answered.

    The recording is an upload, or `{"source": {"url": "https://…"}}`, with the parameters beside `source`.
    """
    job = await submit(request, context)
    return accepted(with_replaced_id(request, await context.accepted_snapshot(job)))


@router.get(
    "",
    operation_id="list_jobs",
    response_model=JobList,
    responses=problem_responses(*_LIST),
    openapi_extra={"parameters": [TENANT, *_FILTERS]},
)
async def list_jobs(request: Request, context: ReadDependency) -> Response:
    """List the jobs of the tenant, newest first."""
    page = await listed(request, context, read_query(request, context.identity.tenant_id))
    return Response(page.model_dump_json(by_alias=True), headers=PRIVATE, media_type="application/json")


@router.get(
    "/events",
    operation_id="follow_jobs",
    response_class=Response,
    responses={
        200: {"description": "The page, and its changes.", "content": {MEDIA_TYPE: {"schema": TEXT}}},
        204: {"description": "The tenant has as many of these streams as are served; ask for the list."},
        **problem_responses(*_LIST),
    },
    openapi_extra={"parameters": [TENANT, *_FILTERS]},
)
async def follow_jobs(request: Request, context: ReadDependency) -> Response:
    """Send server-sent events: `jobs` with the page and each other one, `job` with a changed job."""
    return await list_stream(request, context, read_query(request, context.identity.tenant_id))


@router.get(
    "/{job_id}",
    operation_id="get_job",
    response_model=JobSnapshot,
    responses={
        200: SNAPSHOT,
        304: NOT_MODIFIED,
        **problem_responses(*_LOOK, problems.InvalidParameterError),
    },
    openapi_extra={"parameters": [TENANT, _WAIT, _KNOWN]},
)
async def get_job(request: Request, job_id: str, context: ReadDependency) -> Response:
    """Look at a job, in every state; with `wait`, after its next change."""
    seconds = wait_seconds(request)
    job = await context.find(job_id)
    response = shown(await context.snapshot(job))
    if seconds and not job.state.is_final and is_current(request, response):
        await while_connected(request, context.changed(job, timeout_seconds=seconds))
        response = shown(await context.snapshot(await context.find(job_id)))
    return not_modified(request, response) or response


@router.get(
    "/{job_id}/events",
    operation_id="follow_job",
    response_class=Response,
    responses={
        200: {"description": "Snapshots until the end.", "content": {MEDIA_TYPE: {"schema": TEXT}}},
        204: {"description": "The client has the final snapshot."},
        **problem_responses(*_LOOK),
    },
    openapi_extra={"parameters": [TENANT, _LAST]},
)
async def follow_job(request: Request, job_id: str, context: ReadDependency) -> Response:
    """Send server-sent events: `progress` with each change, then `completed`, `failed` or `cancelled`."""
    return await event_stream(request, context, await context.find(job_id))


@router.get(
    "/{job_id}/transcript",
    operation_id="get_transcript",
    response_model=BatchResponse,
    responses={
        200: TRANSCRIPT,
        **problem_responses(
            *_LOOK,
            errors.JobUnfinishedError,
            errors.JobWithoutTranscriptError,
            problems.NotAcceptableError,
        ),
    },
    openapi_extra={"parameters": [TENANT]},
)
async def get_transcript(request: Request, job_id: str, context: ReadDependency) -> Response:
    """Fetch the transcript of a completed job, in the forms of `/batch/process`."""
    media_type = accepted_type(request)
    response = await transcript_of(context, await context.find(job_id), media_type)
    response.headers.update(PRIVATE)
    return response


@router.get(
    "/{job_id}/delivery",
    operation_id="get_delivery",
    response_model=EventDelivery,
    responses=problem_responses(*_LOOK),
    openapi_extra={"parameters": [TENANT]},
)
async def get_delivery(request: Request, job_id: str, context: ReadDependency) -> Response:
    """Tell what became of the event of a job; its last failure only to operators."""
    job = await context.find(job_id)
    tells_reason = Scope.OPERATE in request.state.scopes
    delivery = await asyncio.to_thread(context.delivery, job, tells_reason=tells_reason)
    return Response(delivery.model_dump_json(), headers=PRIVATE, media_type="application/json")


@router.delete(
    "/{job_id}",
    operation_id="end_job",
    response_model=JobSnapshot,
    responses={
        204: {"description": "The job was erased, with its transcript and its recording."},
        **problem_responses(
            *_LOOK,
            problems.InvalidParameterError,
            errors.JobUnfinishedError,
            errors.RecordingStoreUnavailableError,
        ),
    },
    openapi_extra={"parameters": [TENANT, _ONLY]},
)
async def end_job(
    request: Request, job_id: str, context: WriteDependency, playback: PlaybackDependency
) -> Response:
    """Cancel a job that has not ended; erase one that has, unless the caller only cancels."""
    never_erases = only_cancels(request)
    job = await context.find(job_id)
    if never_erases or not job.state.is_final:
        ended = await asyncio.to_thread(context.jobs.cancel, context.identity.tenant_id, job.id)
        return shown(await context.snapshot(ended))
    tenant_id, user_id = context.identity.tenant_id, context.identity.user_id
    try:
        await asyncio.to_thread(context.jobs.erase, tenant_id, job.id, requested_by=user_id)
    finally:
        await playback.forget(job.id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/{job_id}/retry",
    operation_id="retry_job",
    status_code=HTTPStatus.ACCEPTED,
    responses={202: ACCEPTED_JOB, **problem_responses(*_LOOK, errors.JobNotRetryableError)},
    openapi_extra={"parameters": [TENANT]},
    response_class=Response,
)
async def retry_job(job_id: str, context: WriteDependency) -> Response:
    """Try a failed or cancelled job again, as a new job with its recording and settings."""
    job = await context.find(job_id)
    again = await asyncio.to_thread(context.jobs.retry, context.identity.tenant_id, job.id)
    return accepted(await context.accepted_snapshot(again))
