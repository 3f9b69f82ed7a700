"""Problems: every HTTP error as `application/problem+json` (RFC 9457), from one table."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from domain.model import errors
from domain.model.problem_names import problem_name

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "urn:batch-transcription:problem:"
MEDIA_TYPE = "application/problem+json"
CHALLENGE_HEADER, REALM = "WWW-Authenticate", "batch-transcription"
_NOT_SPOKEN = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED}
"""Statuses that speak of the caller, although they are in the class of server errors."""


class ProblemError(errors.TranscriptionServiceError):
    """Base of errors in the request itself, found before a use case runs."""


class MalformedUploadError(ProblemError):
    """Multipart body that cannot be read, or ends too early."""


class UnsupportedMediaTypeError(ProblemError):
    """Body that is not multipart/form-data."""


class UnsupportedContentCodingError(ProblemError):
    """Body that is compressed, or has another content coding."""


class StalledUploadError(ProblemError):
    """Upload whose caller stopped sending, or sends byte by byte."""


class InvalidIdempotencyKeyError(ProblemError):
    """Idempotency key that is empty, too long, unprintable or given twice."""


class InvalidParameterError(ProblemError):
    """Parameter with a value that it does not have."""


class NotAcceptableError(ProblemError):
    """Header `Accept` that allows none of the forms of the answer."""


class DeadLetterNotFoundError(ProblemError):
    """Id of no message in the dead-letter queue, or of one that another reader holds."""


class NoArchiveError(ProblemError):
    """Dead letters that are to be archived, without a setting that says where."""


class StorageFullError(ProblemError):
    """Disk without space for the recording."""


class TooManyUploadsError(ProblemError):
    """Upload beyond the limit of concurrent uploads."""


class TooManyCopiesError(ProblemError):
    """Request for a playback copy beyond the limit of copies that are being made."""


class RangeNotSatisfiableError(ProblemError):
    """Range that begins behind the end of the playback copy."""

    STATUS = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE

    def __init__(self, content_range: str) -> None:
        super().__init__("The range begins behind the end of the playback copy.")
        self.content_range = content_range  # says how many bytes there are


class ShuttingDownError(ProblemError):
    """Upload that had not ended when the time for it after SIGTERM was over."""


class InvalidRequestError(ProblemError):
    """Request that breaks the grammar of HTTP, or whose length is ambiguous."""


class RequestTargetTooLongError(ProblemError):
    """Request line beyond the limit of a request's head."""


class HeadersTooLargeError(ProblemError):
    """Headers beyond the limit of a request's head."""


class ExpectationFailedError(ProblemError):
    """Value of `Expect` other than `100-continue`."""


class UnknownMethodError(ProblemError):
    """Method that no resource of this server has."""


class UnsupportedTransferCodingError(ProblemError):
    """Transfer coding other than `chunked`."""


class UnsupportedHttpVersionError(ProblemError):
    """Request of another major version than HTTP/1."""


class CallerLeftError(ClientDisconnect):
    """The caller has sent the whole recording, and disconnected before the answer."""


CALLER_LEFT = 499
"""Status of a request whose caller disconnected, as proxies log it; no caller reads it."""


PROBLEMS: dict[type[Exception], tuple[HTTPStatus, str]] = {
    errors.InvalidIdentityError: (HTTPStatus.BAD_REQUEST, "Identity header cannot be used"),
    errors.UnauthenticatedError: (HTTPStatus.UNAUTHORIZED, "Not authenticated"),
    errors.AccessDeniedError: (HTTPStatus.FORBIDDEN, "Request contradicts its credentials"),
    errors.InsufficientScopeError: (HTTPStatus.FORBIDDEN, "Scope missing"),
    errors.UnknownTenantError: (HTTPStatus.FORBIDDEN, "Tenant cannot own transcripts"),
    errors.UntrustedPeerError: (HTTPStatus.FORBIDDEN, "Caller named by an unlisted peer"),
    errors.AuthenticatorUnavailableError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Credentials cannot be examined",
    ),
    errors.MissingRecordingError: (HTTPStatus.BAD_REQUEST, "No recording"),
    errors.EmptyRecordingError: (HTTPStatus.BAD_REQUEST, "Empty recording"),
    InvalidIdempotencyKeyError: (HTTPStatus.BAD_REQUEST, "Idempotency key cannot be used"),
    InvalidParameterError: (HTTPStatus.BAD_REQUEST, "Parameter cannot be used"),
    errors.IdempotencyInProgressError: (HTTPStatus.CONFLICT, "The first request is still in progress"),
    errors.IdempotencyConflictError: (HTTPStatus.UNPROCESSABLE_ENTITY, "Key belongs to another recording"),
    errors.IdempotencyUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "Keys cannot be looked up"),
    MalformedUploadError: (HTTPStatus.BAD_REQUEST, "Malformed upload"),
    StalledUploadError: (HTTPStatus.REQUEST_TIMEOUT, "Upload stalled"),
    NotAcceptableError: (HTTPStatus.NOT_ACCEPTABLE, "Answer in no such form"),
    errors.RecordingTooLargeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Recording too large"),
    errors.NotAudioError: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Not an audio recording"),
    errors.UnsupportedFormatError: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Format not accepted"),
    UnsupportedMediaTypeError: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Not a form upload"),
    UnsupportedContentCodingError: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Compressed upload"),
    errors.UndecodableAudioError: (HTTPStatus.UNPROCESSABLE_ENTITY, "Recording cannot be decoded"),
    errors.AudioTooLongError: (HTTPStatus.UNPROCESSABLE_ENTITY, "Recording too long"),
    errors.UnsupportedOptionError: (HTTPStatus.UNPROCESSABLE_ENTITY, "Engine cannot do what is asked for"),
    errors.TranscriptionTooCostlyError: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Recording too costly to transcribe",
    ),
    errors.TranscriberCrashedError: (HTTPStatus.INTERNAL_SERVER_ERROR, "Transcriber crashed"),
    errors.TranscriberStalledError: (HTTPStatus.INTERNAL_SERVER_ERROR, "Transcriber stalled"),
    errors.TranscriberUnavailableError: (HTTPStatus.INTERNAL_SERVER_ERROR, "Transcriber unavailable"),
    errors.TranscriptionFailedError: (HTTPStatus.BAD_GATEWAY, "Transcription failed"),
    errors.TranscriberBusyError: (HTTPStatus.SERVICE_UNAVAILABLE, "All transcription slots are taken"),
    errors.SourceRefusedError: (HTTPStatus.UNPROCESSABLE_ENTITY, "Recording not fetched from there"),
    errors.SourceUnavailableError: (HTTPStatus.BAD_GATEWAY, "Place of the recording fails"),
    errors.RecordingGoneError: (HTTPStatus.GONE, "Recording not stored any more"),
    errors.JobNotFoundError: (HTTPStatus.NOT_FOUND, "No such job"),
    errors.JobUnfinishedError: (HTTPStatus.CONFLICT, "Job has not ended"),
    errors.JobWithoutTranscriptError: (HTTPStatus.CONFLICT, "Job has no transcript"),
    errors.JobNotRetryableError: (HTTPStatus.CONFLICT, "Job cannot be tried again"),
    errors.JobStoreUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "Jobs cannot be stored or read"),
    errors.RecordingStoreUnavailableError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Recordings cannot be stored or read",
    ),
    errors.OutboxUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "Events cannot be looked up"),
    errors.InfrastructureError: (HTTPStatus.BAD_GATEWAY, "Route cannot be read or changed"),
    errors.CredentialsRefusedError: (HTTPStatus.BAD_GATEWAY, "Credentials of the service refused"),
    DeadLetterNotFoundError: (HTTPStatus.NOT_FOUND, "No such dead letter"),
    NoArchiveError: (HTTPStatus.NOT_FOUND, "No archive"),
    StorageFullError: (HTTPStatus.INSUFFICIENT_STORAGE, "No disk space for the recording"),
    TooManyUploadsError: (HTTPStatus.SERVICE_UNAVAILABLE, "Too many uploads"),
    TooManyCopiesError: (HTTPStatus.SERVICE_UNAVAILABLE, "Too many playback copies"),
    RangeNotSatisfiableError: (RangeNotSatisfiableError.STATUS, "No such range"),
    ShuttingDownError: (HTTPStatus.SERVICE_UNAVAILABLE, "The service is shutting down"),
    InvalidRequestError: (HTTPStatus.BAD_REQUEST, "Not a valid HTTP request"),
    RequestTargetTooLongError: (HTTPStatus.REQUEST_URI_TOO_LONG, "Request target too long"),
    HeadersTooLargeError: (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Headers too large"),
    ExpectationFailedError: (HTTPStatus.EXPECTATION_FAILED, "Expectation cannot be met"),
    UnknownMethodError: (HTTPStatus.NOT_IMPLEMENTED, "Unknown method"),
    UnsupportedTransferCodingError: (HTTPStatus.NOT_IMPLEMENTED, "Unsupported transfer coding"),
    UnsupportedHttpVersionError: (HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Unsupported version of HTTP"),
}


HEADERS: Mapping[type[Exception], Mapping[str, str]] = {
    TooManyUploadsError: {"Retry-After": "1"},
    TooManyCopiesError: {"Retry-After": "5"},
    errors.IdempotencyUnavailableError: {"Retry-After": "1"},
    errors.AuthenticatorUnavailableError: {"Retry-After": "5"},
    errors.JobUnfinishedError: {"Retry-After": "5"},
    errors.JobStoreUnavailableError: {"Retry-After": "2"},
    errors.RecordingStoreUnavailableError: {"Retry-After": "5"},
    errors.OutboxUnavailableError: {"Retry-After": "2"},
    ShuttingDownError: {"Retry-After": "5", "Connection": "close"},  # the next process is usually up by then
    StalledUploadError: {"Connection": "close"},  # the rest of the body is not read
    UnsupportedMediaTypeError: {"Accept": "multipart/form-data"},  # RFC 9110, section 15.5.16
    UnsupportedContentCodingError: {"Accept-Encoding": "identity"},  # RFC 9110, section 12.5.3: only here
}
"""Headers of the answers to some problems."""


_OF_JOBS = {
    "cancelled": (HTTPStatus.CONFLICT, "Job cancelled"),
    "internal-error": (HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
    **{problem_name(error): answer for error, answer in PROBLEMS.items()},
}


def problem_of_job(reason: str) -> tuple[HTTPStatus, str]:
    """Return status and title for the name of a job's problem; an unknown name counts as a defect."""
    return _OF_JOBS.get(reason, _OF_JOBS["internal-error"])


def problem_response(
    status: HTTPStatus, *, title: str, detail: str, name: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Build a response with type, title, status and detail of an error (RFC 9457)."""
    body = {"type": PROBLEM_TYPE + name, "title": title, "status": status.value, "detail": detail}
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def problem_of(error: errors.TranscriptionServiceError) -> JSONResponse:
    """Log a known error, and build the answer to it."""
    status, title = PROBLEMS.get(type(error), (HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"))
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _NOT_SPOKEN
    logger.log(
        logging.ERROR if is_ours else logging.WARNING,
        "request refused",
        extra={"error_type": type(error).__name__, "error": str(error), "status": status.value},
    )
    return problem_response(
        status, title=title, detail=str(error), name=problem_name(type(error)), headers=_headers(error)
    )


def _headers(error: Exception) -> Mapping[str, str] | None:
    match error:
        case errors.TranscriberBusyError():
            return {"Retry-After": str(error.retry_after_seconds)}
        case RangeNotSatisfiableError():
            return {"Content-Range": error.content_range}
        case errors.UnauthenticatedError():
            return _challenge(error="invalid_token") if error.has_credentials else _challenge()
        case errors.InsufficientScopeError():
            return _challenge(error="insufficient_scope", scope=error.scope)
    return HEADERS.get(type(error))


def _challenge(**attributes: str) -> Mapping[str, str]:
    """Say how to authenticate, and what is wrong with the credentials, if there are any (RFC 6750, 3)."""
    named = {"realm": REALM, **attributes}
    return {CHALLENGE_HEADER: "Bearer " + ", ".join(f'{name}="{value}"' for name, value in named.items())}
