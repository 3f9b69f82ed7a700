"""Every error of the HTTP door as `application/problem+json` (RFC 9457), from one table."""

import logging
from http import HTTPStatus

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from domain.model import errors

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "urn:batch-transcription:problem:"
MEDIA_TYPE = "application/problem+json"


class ProblemError(errors.TranscriptionServiceError):
    """The request itself is at fault, before anything of the core was asked."""


class MalformedUploadError(ProblemError):
    """The multipart body cannot be read, or ends too early."""


class UnsupportedMediaTypeError(ProblemError):
    """The body is not multipart/form-data."""


class StalledUploadError(ProblemError):
    """The caller stopped sending, or sends byte by byte."""


class InvalidIdempotencyKeyError(ProblemError):
    """The header is empty, too long, unprintable or given twice."""


class StorageFullError(ProblemError):
    """No room is left for the recording."""


class TooManyUploadsError(ProblemError):
    """More uploads at once than are received."""


PROBLEMS: dict[type[Exception], tuple[HTTPStatus, str]] = {
    errors.InvalidIdentityError: (HTTPStatus.BAD_REQUEST, "Identity header cannot be used"),
    errors.MissingRecordingError: (HTTPStatus.BAD_REQUEST, "No recording"),
    errors.EmptyRecordingError: (HTTPStatus.BAD_REQUEST, "Empty recording"),
    InvalidIdempotencyKeyError: (HTTPStatus.BAD_REQUEST, "Idempotency key cannot be used"),
    errors.IdempotencyInProgressError: (HTTPStatus.CONFLICT, "The first request is still being worked on"),
    errors.IdempotencyConflictError: (HTTPStatus.UNPROCESSABLE_ENTITY, "Key belongs to another recording"),
    errors.IdempotencyUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "Keys cannot be looked up"),
    MalformedUploadError: (HTTPStatus.BAD_REQUEST, "Malformed upload"),
    StalledUploadError: (HTTPStatus.REQUEST_TIMEOUT, "Upload stalled"),
    errors.RecordingTooLargeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Recording too large"),
    errors.NotAudioError: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Not an audio recording"),
    UnsupportedMediaTypeError: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Not a form upload"),
    errors.UndecodableAudioError: (HTTPStatus.UNPROCESSABLE_ENTITY, "Recording cannot be decoded"),
    errors.AudioTooLongError: (HTTPStatus.UNPROCESSABLE_ENTITY, "Recording too long"),
    errors.TranscriberCrashedError: (HTTPStatus.INTERNAL_SERVER_ERROR, "Transcriber crashed"),
    errors.TranscriberStalledError: (HTTPStatus.INTERNAL_SERVER_ERROR, "Transcriber stalled"),
    errors.TranscriberUnavailableError: (HTTPStatus.INTERNAL_SERVER_ERROR, "Transcriber unavailable"),
    errors.TranscriberBusyError: (HTTPStatus.SERVICE_UNAVAILABLE, "All transcription slots are taken"),
    StorageFullError: (HTTPStatus.INSUFFICIENT_STORAGE, "No room for the recording"),
    TooManyUploadsError: (HTTPStatus.SERVICE_UNAVAILABLE, "Too many uploads"),
}


def problem_name(error: type[Exception]) -> str:
    """The last part of a problem's type: `RecordingTooLargeError` is `recording-too-large`."""
    words = error.__name__.removesuffix("Error")
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in words).removeprefix("-")


def problem_response(
    status: HTTPStatus, *, title: str, detail: str, name: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """An error as RFC 9457 wants it: type, title, status and detail."""
    body = {"type": PROBLEM_TYPE + name, "title": title, "status": status.value, "detail": detail}
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def register_problems(app: FastAPI) -> None:
    """Answer every error, ours and the framework's, as a problem; the middleware does so for defects."""
    app.add_exception_handler(errors.TranscriptionServiceError, _known)
    app.add_exception_handler(HTTPException, _of_the_framework)
    app.add_exception_handler(ClientDisconnect, _hung_up)


async def _known(_request: Request, error: Exception) -> Response:
    status, title = PROBLEMS.get(type(error), (HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"))
    logger.log(
        logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.WARNING,
        "request refused",
        extra={"error_type": type(error).__name__, "error": str(error), "status": status.value},
    )
    return problem_response(
        status, title=title, detail=str(error), name=problem_name(type(error)), headers=_headers(error)
    )


def _headers(error: Exception) -> dict[str, str] | None:
    match error:
        case errors.TranscriberBusyError():
            return {"Retry-After": str(error.retry_after_seconds)}
        case (
            TooManyUploadsError() | errors.IdempotencyInProgressError() | errors.IdempotencyUnavailableError()
        ):
            return {"Retry-After": "1"}
        case StalledUploadError():
            return {"Connection": "close"}  # the rest of the body will not come
        case _:
            return None


async def _of_the_framework(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    status = HTTPStatus(error.status_code)
    name = status.phrase.lower().replace(" ", "-")
    headers = dict(error.headers) if error.headers else None
    return problem_response(status, title=status.phrase, detail=str(error.detail), name=name, headers=headers)


async def _hung_up(_request: Request, _error: Exception) -> Response:
    """Nobody reads this answer; 499 is what proxies log for a caller who left."""
    logger.info("caller hung up while sending")
    return Response(status_code=499)


def unexpected_problem() -> Response:
    """What the caller learns of a defect of ours: no more than that the log has it."""
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        title="Internal error",
        detail="Something went wrong here; the log has it under this interaction id.",
        name="internal-error",
    )
