"""`POST /batch/process`: transcribes one recording."""

import asyncio

from fastapi import APIRouter, Request, Response

from domain.model import errors
from entrypoints.api.dependencies import UploadContext, UploadDependency
from entrypoints.api.description import Described, problem_responses
from entrypoints.api.disconnects import while_connected
from entrypoints.api.idempotency import idempotency_key, process_once
from entrypoints.api.jobs.preferences import read_preferences
from entrypoints.api.jobs.preferred import process_as_job
from entrypoints.api.parameters import read_parameters
from entrypoints.api.problems import PROBLEMS
from entrypoints.api.representations import JSON, accepted_type, represented
from entrypoints.api.request_description import FORM, PREFER, UPLOAD
from entrypoints.api.response_description import ACCEPTED_JOB, APPLIED, TRANSCRIPT
from entrypoints.api.schemas import BatchResponse

router = APIRouter(prefix="/batch", tags=["batch"])

_REQUEST = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}},
    "parameters": [*UPLOAD, PREFER],
}


_JOB_ERRORS = (
    errors.JobNotFoundError,
    errors.JobUnfinishedError,
    errors.JobWithoutTranscriptError,
    errors.JobNotRetryableError,
)
_ANSWERS: dict[int | str, Described] = {
    200: TRANSCRIPT | {"headers": {**TRANSCRIPT["headers"], **APPLIED}},
    202: ACCEPTED_JOB | {"headers": {**ACCEPTED_JOB["headers"], **APPLIED}},
    **problem_responses(*(error for error in PROBLEMS if error not in _JOB_ERRORS)),
}


@router.post(
    "/process",
    operation_id="process_recording",
    response_model=BatchResponse,
    responses=_ANSWERS,
    openapi_extra=_REQUEST,
)
async def process(
    request: Request, response: Response, context: UploadDependency
) -> BatchResponse | Response:
    """Transcribe a recording, clean the transcript, publish the event, and answer with both transcripts.

    The answer does not depend on the event's delivery: see `event.status`. With `Accept: text/vtt` or
    `application/x-subrip` it is subtitles, with `text/plain` the cleaned transcript. With `Prefer:
    respond-async` or `wait=N`, the upload is a job, which goes on after N seconds and after its caller.
    """
    media_type = accepted_type(request)
    preferences = read_preferences(request)
    if preferences.asks_for_job:
        return await process_as_job(request, context.identity, preferences, media_type)
    answer = await _answer(request, context)
    request.state.event_status = answer.event.status  # for metrics
    if media_type != JSON:
        return await asyncio.to_thread(represented, answer, media_type)
    response.headers["Vary"] = "Accept"
    return answer


async def _answer(request: Request, context: UploadContext) -> BatchResponse:
    key = idempotency_key(request)
    check_capacity = context.transcriber.check_capacity
    check_capacity()
    async with context.spool.receive(request, check_capacity) as upload:
        parameters = read_parameters(request.query_params.multi_items(), upload.fields)
        options = parameters.transcription_options()

        async def work() -> BatchResponse:
            processing = context.batch_processing.process(
                upload.recording,
                context.identity,
                context.interaction_id,
                options=options,
                warnings=context.warnings + parameters.warnings,
            )
            return BatchResponse.of(await while_connected(request, processing))

        if key is None:
            return await work()
        return await process_once(
            context.idempotent_requests, context.identity, key, upload.recording, parameters, work
        )
