"""Submissions of jobs: an upload, or the URL of a recording."""

import asyncio

from starlette.requests import Request

from domain.model.identity import TENANT_HEADER, Identity
from domain.model.jobs import Job
from domain.model.metadata import Metadata
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.services.jobs.jobs import JobRequest
from domain.services.resilience.threads import in_threads
from entrypoints.api.idempotency import idempotency_key
from entrypoints.api.jobs.bodies import (
    SOURCE,
    is_json,
    metadata_in_form,
    metadata_in_json,
    read_json,
    source_url,
)
from entrypoints.api.jobs.context import JobContext
from entrypoints.api.parameters import METADATA, UploadParameters, read_json_parameters, read_parameters


async def submit(request: Request, context: JobContext) -> Job:
    """Store a job for the upload of a request, or for the URL that its JSON body names.

    Raises:
        ProblemError: the request cannot be used.
        RecordingError: the recording is missing, empty or too large, or not fetched from there.
        IdempotencyConflictError: the key was used with other content.
        JobStoreUnavailableError: the job cannot be stored; it is not accepted.
        RecordingStoreUnavailableError: the recording cannot be stored; the job is not accepted.
    """
    return await (_submit_url if is_json(request) else submit_upload)(request, context)


async def submit_upload(request: Request, context: JobContext) -> Job:
    """Store a job for the upload of a request; see `submit`."""
    key = idempotency_key(request)
    async with context.spool.receive(request, _has_capacity) as upload:
        parameters = read_parameters(request.query_params.multi_items(), upload.fields, also=(METADATA,))
        asked = _job_request(context, key, parameters, metadata_in_form(upload.fields))
        return await in_threads(context.storing, context.jobs.submit, upload.recording, asked)


async def _submit_url(request: Request, context: JobContext) -> Job:
    key = idempotency_key(request)
    body = await read_json(request, timeout_seconds=context.idle_seconds)
    query = request.query_params.multi_items()
    parameters = read_json_parameters(query, body, also=(SOURCE, METADATA))
    asked = _job_request(context, key, parameters, metadata_in_json(body.get(METADATA)))
    return await asyncio.to_thread(context.jobs.submit_url, source_url(body), asked)


def _has_capacity() -> None:
    """Accept the upload although every slot of the transcriber may be taken: its job waits for one."""


def _job_request(
    context: JobContext, key: str | None, parameters: UploadParameters, metadata: Metadata
) -> JobRequest:
    return JobRequest(
        identity=context.identity,
        interaction_id=context.interaction_id,
        options=parameters.transcription_options(),
        metadata=metadata,
        warnings=context.warnings + parameters.warnings + _generated_tenant(context.identity),
        idempotency_key=key,
    )


def _generated_tenant(identity: Identity) -> tuple[ResultWarning, ...]:
    """Warn that the job is visible to a tenant that the caller does not know yet."""
    if identity.replaced_tenant is None:
        return ()
    detail = f"the job belongs to a new tenant; send {TENANT_HEADER}: {identity.tenant_id} to see it"
    return (ResultWarning(code=WarningCode.TENANT_GENERATED, detail=detail),)
