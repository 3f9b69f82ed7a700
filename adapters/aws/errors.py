"""Translation of botocore's exceptions into errors of the domain; no other file knows those exceptions.

AWS quotes the request in some of its messages: a refused value, or the signed headers with the session
token. Therefore the messages are written here, and neither quote nor chain botocore's, except where AWS names
the missing permission.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from botocore import exceptions as botocore
from botocore.parsers import ResponseParserError

from adapters.aws.codes import (
    ABOUT_THE_TOPIC,
    CREDENTIAL_CODES,
    PERMISSION_CODES,
    REFUSED_CODES,
    REJECTED_CODES,
    SIZE_CODES,
    THROTTLING_CODES,
    TOO_LARGE_CODES,
    TOO_LARGE_MESSAGE,
    UNREADABLE_CODES,
)
from domain.model.errors import (
    ArchiveError,
    CredentialsRefusedError,
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventRejectedError,
    EventTooLargeError,
    InfrastructureError,
    PayloadStoreError,
    RecordingStoreUnavailableError,
    SourceRefusedError,
    SourceUnavailableError,
    TranscriberBusyError,
    TranscriberUnavailableError,
    TranscriptionError,
    TranscriptionFailedError,
)


class ForeignAnswerError(botocore.BotoCoreError):
    """A response of 200 came from a proxy, a captive portal or another server, not from AWS."""

    fmt = "{service} {operation} was answered with {found}, which does not come from AWS"


class CredentialFaultError(botocore.BotoCoreError):
    """Credentials that cannot be read, or that AWS would refuse for their form; the message quotes none."""

    fmt = "{fault}"


RETRY_AFTER_SECONDS = 60
"""Time after which a limit of the account is likely to have room again."""

CREDENTIAL_ERRORS = (
    botocore.NoCredentialsError,
    botocore.PartialCredentialsError,
    botocore.CredentialRetrievalError,
    botocore.RefreshWithMFAUnsupportedError,
    botocore.MetadataRetrievalError,
    botocore.NoAuthTokenError,
    botocore.TokenRetrievalError,
    botocore.ProfileNotFound,
    botocore.InvalidConfigError,
    botocore.SSOError,
    botocore.LoginError,
    CredentialFaultError,
)

NETWORK_ERRORS = (botocore.ConnectionError, botocore.HTTPClientError, ForeignAnswerError)
SELF_EXPLAINING_ERRORS = (ForeignAnswerError, CredentialFaultError)

BOTOCORE_ERRORS = (
    botocore.BotoCoreError,
    botocore.ClientError,
    botocore.UndefinedModelAttributeError,
    ResponseParserError,
)
"""Base classes of everything that botocore raises deliberately."""

PARSER_ERRORS = (AttributeError, KeyError, TypeError, ValueError)
"""Exceptions that botocore's parser raises by accident for a response that is JSON of another shape."""

CHECK_CREDENTIALS = "check the credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE or the role) and the clock"
CHECK_PERMISSIONS = "give these credentials the permission"
CHECK_TOPIC = "run `transcripts provision`, or correct SNS_TOPIC_NAME or AWS_REGION"
CHECK_NETWORK = "check the network, AWS_REGION and AWS_ENDPOINT_URL"


class _Failure(NamedTuple):
    """The part of an error that may appear in a message."""

    name: str
    """AWS's error code, or the class of the exception."""
    operation: str | None
    advice: str | None

    def __str__(self) -> str:
        operation = f" at {self.operation}" if self.operation else ""
        advice = f": {self.advice}" if self.advice else ""
        return f"{self.name}{operation}{advice}"


@contextmanager
def translate_publish_errors(service: str = "EventBridge") -> Iterator[None]:
    """Translate the errors of a call that sends events to the service.

    Raises:
        EventTooLargeError: the events have too many bytes.
        EventRejectedError: one of the events is invalid in another way.
        EventBusRefusesUsError: permissions, credentials, account or clock are wrong.
        EventBusUnavailableError: any other failure, of the bus, the network or an unknown kind.
    """
    try:
        yield
    except botocore.ParamValidationError:
        raise EventRejectedError(f"{service} cannot accept the event: ParamValidationError") from None
    except botocore.ClientError as error:
        raise _publish_error(service, _failure(error), _message(error)) from None
    except BOTOCORE_ERRORS as error:
        kind = EventBusRefusesUsError if isinstance(error, CREDENTIAL_ERRORS) else EventBusUnavailableError
        raise kind(f"the event did not reach {service}: {_failure(error)}") from None
    except PARSER_ERRORS:
        raise unreadable_response(service) from None


def error_for_entry(code: str, message: str = "", service: str = "EventBridge") -> EventPublishError:
    """Build the error for an entry that the service refused in a response of 200."""
    return _publish_error(service, _Failure(code[:100], None, _advice_for_code(code, message)), message)


def unreadable_response(service: str = "EventBridge") -> EventBusUnavailableError:
    """Build the error for an unreadable response, a proxy's most likely: no event is known to be accepted."""
    return EventBusUnavailableError(f"{service} returned an unreadable response")


@contextmanager
def translate_infrastructure_errors(doing: str = "calling AWS") -> Iterator[None]:
    """Translate the errors of calls that read or change queues, rules and buses.

    The message begins with `doing`, such as "creating the queue orders".

    Raises:
        CredentialsRefusedError: AWS refuses the credentials, or they cannot be read.
        InfrastructureError: another failure; the message names the operation, the code and the remedy.
    """
    try:
        yield
    except BOTOCORE_ERRORS as error:
        failure = _failure(error)
        is_refusal = isinstance(error, CREDENTIAL_ERRORS) or failure.name in CREDENTIAL_CODES
        kind = CredentialsRefusedError if is_refusal else InfrastructureError
        raise kind(f"{doing} failed: {failure}") from None


@contextmanager
def translate_transcription_errors(service: str) -> Iterator[None]:
    """Translate the errors of calls that have a recording transcribed; the message begins with the service.

    Raises:
        TranscriberBusyError: a limit of the account is reached.
        TranscriptionFailedError: the service refuses this recording; its own message is shown.
        TranscriberUnavailableError: any other failure: permissions, credentials, network or an unknown kind.
    """
    try:
        yield
    except BOTOCORE_ERRORS as error:
        raise _transcription_error(service, _failure(error), error) from None
    except PARSER_ERRORS:
        raise TranscriberUnavailableError(f"{service}: the response cannot be read") from None


def _transcription_error(service: str, failure: _Failure, error: Exception) -> TranscriptionError:
    if failure.name in THROTTLING_CODES:
        message = f"{service}: a limit of the account is reached: {failure}"
        return TranscriberBusyError(message, retry_after_seconds=RETRY_AFTER_SECONDS)
    if failure.name in REFUSED_CODES and isinstance(error, botocore.ClientError):
        return TranscriptionFailedError(
            f"{service} refused the recording: {failure}: {_message(error)[:500]}"
        )
    return TranscriberUnavailableError(f"{service} failed: {failure}")


def translate_payload_errors(
    failed: str = "the transcripts were not stored",  # the failure, which begins the message
) -> AbstractContextManager[None]:
    """Translate the errors of a call that stores or reads transcripts in S3.

    Raises:
        PayloadStoreError: botocore failed.
    """
    return _translate_store_errors(PayloadStoreError, failed)


def translate_archive_errors(failed: str) -> AbstractContextManager[None]:
    """Translate the errors of a call that stores or reads archived dead letters in S3.

    The message begins with `failed`, such as "s3://a/b was not written".

    Raises:
        ArchiveError: botocore failed.
    """
    return _translate_store_errors(ArchiveError, failed)


def translate_recording_errors(failed: str) -> AbstractContextManager[None]:
    """Translate the errors of a call that stores, reads, lists or deletes recordings in S3.

    The message begins with `failed`, such as "the recording was not stored".

    Raises:
        RecordingStoreUnavailableError: botocore failed.
    """
    return _translate_store_errors(RecordingStoreUnavailableError, failed)


@contextmanager
def translate_source_errors(place: str) -> Iterator[None]:
    """Translate the errors of a call that fetches a recording from S3; the messages begin with the place.

    Raises:
        SourceRefusedError: there is no such recording, or these credentials may not read it.
        SourceUnavailableError: any other failure: of S3, the network or the credentials.
    """
    try:
        yield
    except BOTOCORE_ERRORS as error:
        failure = _failure(error)
        if failure.name in UNREADABLE_CODES:
            # the message of AWS may name our role, and callers read this one
            raise SourceRefusedError(f"{place} cannot be fetched: {failure.name}") from None
        raise SourceUnavailableError(f"{place} could not be fetched: {failure}") from None
    except PARSER_ERRORS:
        raise SourceUnavailableError(f"{place}: S3 returned an unreadable response") from None


@contextmanager
def _translate_store_errors(
    translation: type[PayloadStoreError | ArchiveError | RecordingStoreUnavailableError], failed: str
) -> Iterator[None]:
    try:
        yield
    except BOTOCORE_ERRORS as error:
        raise translation(f"{failed}: {_failure(error)}") from None
    except PARSER_ERRORS:
        raise translation(f"{failed}: S3 returned an unreadable response") from None


def _publish_error(service: str, failure: _Failure, message: str) -> EventPublishError:
    if _is_about_size(failure.name, message):
        return EventTooLargeError(f"{service} refused the event for its size: {failure}")
    if failure.name in REJECTED_CODES and not ABOUT_THE_TOPIC.search(message):
        return EventRejectedError(f"{service} refused the event: {failure}")
    if failure.name in PERMISSION_CODES | CREDENTIAL_CODES:
        return EventBusRefusesUsError(f"{service} refuses every event: {failure}")
    return EventBusUnavailableError(f"{service} did not accept the event: {failure}")


def _is_about_size(code: str, message: str) -> bool:
    return code in TOO_LARGE_CODES or (code in SIZE_CODES and TOO_LARGE_MESSAGE.match(message) is not None)


def _failure(error: Exception) -> _Failure:
    if not isinstance(error, botocore.ClientError):
        name = str(error) if isinstance(error, SELF_EXPLAINING_ERRORS) else type(error).__name__
        return _Failure(name, None, _advice_for_error(error))
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    return _Failure(code[:100], error.operation_name, _advice_for_code(code, _message(error)))


def _message(error: botocore.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _advice_for_code(code: str, message: str) -> str | None:
    if code in CREDENTIAL_CODES:
        return CHECK_CREDENTIALS
    if code in PERMISSION_CODES:
        return f"{CHECK_PERMISSIONS} ({message[:500]})" if message else CHECK_PERMISSIONS
    return CHECK_TOPIC if code == "NotFound" else None  # of SNS alone


def _advice_for_error(error: Exception) -> str | None:
    if isinstance(error, CREDENTIAL_ERRORS):
        return CHECK_CREDENTIALS
    return CHECK_NETWORK if isinstance(error, NETWORK_ERRORS) else None
