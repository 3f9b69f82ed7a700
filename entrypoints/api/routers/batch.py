"""`POST /batch/process`: transcribes one recording."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect

from domain.model.identity import ACCOUNT_HEADER, MAX_IDENTITY_LENGTH, TENANT_HEADER, USER_HEADER
from domain.model.recordings import ACCEPTED
from entrypoints.api.dependencies import UploadDependency
from entrypoints.api.idempotency import KEY_HEADER, MAX_KEY_LENGTH, idempotency_key, process_once
from entrypoints.api.parameters import FIELD_NAME, read_parameters
from entrypoints.api.problems import MEDIA_TYPE
from entrypoints.api.schemas import BatchResponse, ProblemDetails

T = TypeVar("T")

router = APIRouter(prefix="/batch", tags=["batch"])

_FORM = {
    "type": "object",
    "required": [FIELD_NAME],
    "properties": {
        FIELD_NAME: {
            "type": "string",
            "format": "binary",
            "description": f"A recording, or a video with sound: {ACCEPTED}.",
        }
    },
}


def _header(name: str, description: str, schema: dict[str, str | int]) -> dict[str, object]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


_REQUEST = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
    "parameters": [
        _header(
            TENANT_HEADER,
            "Tenant, a UUID v4; another value is replaced by a new one.",
            {"type": "string", "format": "uuid"},
        ),
        _header(USER_HEADER, "User of the request.", {"type": "string", "maxLength": MAX_IDENTITY_LENGTH}),
        _header(ACCOUNT_HEADER, "Account, if any.", {"type": "string", "maxLength": MAX_IDENTITY_LENGTH}),
        _header(
            KEY_HEADER,
            "The same key with the same recording gets the first answer again, for a day.",
            {"type": "string", "maxLength": MAX_KEY_LENGTH},
        ),
    ],
}

_PROBLEMS = {
    400: "No recording, an empty one, a malformed form or an invalid header",
    409: "The first request with this Idempotency-Key is still in progress",
    408: "The caller stopped sending",
    413: "Recording larger than MAX_UPLOAD_BYTES",
    415: "Not audio, audio in a format that is not accepted, or not multipart/form-data",
    422: "Audio that cannot be decoded, is too long or costs too much processor time, or an Idempotency-Key "
    "of another recording",
    500: "The transcriber crashed or stalled on this recording",
    503: "All transcription slots and the waiting room are taken; see Retry-After",
    507: "No disk space is left to receive the recording (see MIN_FREE_BYTES)",
}

_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {"schema": ProblemDetails.model_json_schema()}}}
    for status, text in _PROBLEMS.items()
}


@router.post("/process", responses=_RESPONSES, openapi_extra=_REQUEST)
async def process(request: Request, context: UploadDependency) -> BatchResponse:
    """Transcribe a recording, clean the transcript, publish the event, and answer with both transcripts.

    The answer does not depend on the event's delivery: see `event.status`.
    """
    key = idempotency_key(request)
    check_capacity = context.transcriber.check_capacity
    check_capacity()
    async with context.spool.receive(request, check_capacity) as upload:
        parameters = read_parameters(request.query_params.multi_items(), upload.fields)

        async def work() -> BatchResponse:
            processing = context.batch_processing.process(
                upload.recording,
                context.identity,
                context.interaction_id,
                warnings=context.warnings + parameters.warnings,
            )
            return BatchResponse.of(await _while_connected(request, processing))

        if key is None:
            return await work()
        return await process_once(
            context.idempotent_requests, context.identity, key, upload.recording, parameters, work
        )


async def _while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work; cancel it and free its slot when the caller disconnects.

    Raises:
        ClientDisconnect: the caller disconnected.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
