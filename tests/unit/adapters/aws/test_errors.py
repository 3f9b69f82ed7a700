import inspect
import traceback
from typing import Any

import pytest
from botocore import exceptions as botocore
from botocore.parsers import ResponseParserError

from adapters.aws.errors import (
    CREDENTIAL_ERRORS,
    error_for_entry,
    translate_infrastructure_errors,
    translate_payload_errors,
    translate_publish_errors,
    translate_recording_errors,
)
from domain.model.errors import (
    CredentialsRefusedError,
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventRejectedError,
    EventTooLargeError,
    InfrastructureError,
    PayloadStoreError,
    RecordingStoreUnavailableError,
)

ERRORS_OF_BOTOCORE: list[type[Exception]] = [
    kind
    for _, kind in inspect.getmembers(botocore, inspect.isclass)
    if issubclass(kind, Exception) and not issubclass(kind, Warning) and "botocore" in kind.__module__
] + [ResponseParserError]


def raised(kind: type[Exception]) -> Exception:
    """Create an instance with any arguments that its constructor needs."""
    if issubclass(kind, botocore.ClientError):
        return client_error("InternalException")
    return kind.__new__(kind)


def client_error(code: str, message: str = "", operation: str = "PutEvents") -> botocore.ClientError:
    return botocore.ClientError({"Error": {"Code": code, "Message": message}}, operation)


def published(error: Exception) -> EventPublishError:
    with pytest.raises(EventPublishError) as translated, translate_publish_errors():
        raise error
    return translated.value


def operated(error: Exception, doing: str = "creating the queue orders") -> InfrastructureError:
    with pytest.raises(InfrastructureError) as translated, translate_infrastructure_errors(doing):
        raise error
    return translated.value


def test_botocore_has_the_errors_that_this_is_about() -> None:
    assert len(ERRORS_OF_BOTOCORE) > 80


@pytest.mark.parametrize("kind", ERRORS_OF_BOTOCORE)
def test_no_error_of_botocore_escapes_from_publishing(kind: type[Exception]) -> None:
    expected: type[EventPublishError] = EventBusUnavailableError
    if kind is botocore.ParamValidationError:
        expected = EventRejectedError
    elif issubclass(kind, CREDENTIAL_ERRORS):
        expected = EventBusRefusesUsError

    assert type(published(raised(kind))) is expected


@pytest.mark.parametrize("kind", ERRORS_OF_BOTOCORE)
def test_no_error_of_botocore_escapes_from_the_infrastructure(kind: type[Exception]) -> None:
    assert "creating the queue orders failed" in str(operated(raised(kind)))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (client_error("InvalidClientTokenId", operation="GetCallerIdentity"), CredentialsRefusedError),
        (client_error("ExpiredToken", operation="GetCallerIdentity"), CredentialsRefusedError),
        (raised(botocore.NoCredentialsError), CredentialsRefusedError),
        (client_error("AccessDenied"), InfrastructureError),
        (client_error("InternalFailure"), InfrastructureError),
        (raised(botocore.ReadTimeoutError), InfrastructureError),
    ],
    ids=str,
)
def test_credentials_that_are_refused_differ_from_other_failures(
    error: Exception, kind: type[InfrastructureError]
) -> None:
    assert type(operated(error)) is kind


@pytest.mark.parametrize("error", [AttributeError("get"), KeyError("Entries"), TypeError(), ValueError()])
def test_an_unreadable_response_is_reported_as_such(error: Exception) -> None:
    assert str(published(error)) == "EventBridge returned an unreadable response"


@pytest.mark.parametrize("error", [EventRejectedError("no"), MemoryError(), InfrastructureError("no")])
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as passed, translate_publish_errors(), translate_infrastructure_errors():
        raise error

    assert passed.value is error


@pytest.mark.parametrize("kind", [*ERRORS_OF_BOTOCORE, KeyError, ValueError])
def test_no_error_of_botocore_escapes_from_storing_transcripts(kind: type[Exception]) -> None:
    with pytest.raises(PayloadStoreError, match="were not stored"), translate_payload_errors():
        raise raised(kind)


@pytest.mark.parametrize("kind", [*ERRORS_OF_BOTOCORE, KeyError, ValueError])
def test_no_error_of_botocore_escapes_from_storing_recordings(kind: type[Exception]) -> None:
    with (
        pytest.raises(RecordingStoreUnavailableError, match="the recording was not stored"),
        translate_recording_errors("the recording was not stored"),
    ):
        raise raised(kind)


CODES: dict[type[EventPublishError], str] = {
    EventTooLargeError: "413 RequestEntityTooLarge",
    EventRejectedError: "InvalidArgument MalformedDetail RedactionFailure ValidationException",
    EventBusRefusesUsError: (
        "AccessDenied AccessDeniedException InvalidAccountIdException NotAuthorizedForSourceException "
        "NotAuthorizedForDetailTypeException ExpiredToken ExpiredTokenException UnrecognizedClientException "
        "InvalidSignatureException RequestTimeTooSkewed"
    ),
    EventBusUnavailableError: (
        "InternalFailure InternalException ThrottlingException TargetDeliveryFailure "
        "ResourceNotFoundException NeverHeardOf"
    ),
}


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [
        *((kind, code, "") for kind, codes in CODES.items() for code in codes.split()),
        (EventBusUnavailableError, "", ""),
        (
            EventTooLargeError,
            "ValidationException",
            "Total size of the entries in the request is over the limit.",
        ),
        (EventTooLargeError, "ValidationException", "Entry size exceeds the maximum allowed size"),
    ],
)
def test_the_code_of_a_call_or_an_entry_decides_what_becomes_of_the_event(
    kind: type[EventPublishError], code: str, message: str
) -> None:
    assert type(error_for_entry(code, message)) is kind
    assert type(published(client_error(code, message))) is kind


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "Value 'the size is over the limit' at 'detail' failed"),
        ("ValidationException", "1 validation error detected"),
        ("MalformedDetail", "Total size of the entries in the request is over the limit."),
    ],
)
def test_what_is_wrong_is_not_taken_for_what_is_too_large(code: str, message: str) -> None:
    assert type(error_for_entry(code, message)) is EventRejectedError


@pytest.mark.parametrize("response", [{}, {"Error": {}}, {"Error": {"Code": 5}}])
def test_an_error_without_a_code_may_be_tried_again(response: Any) -> None:
    assert type(published(botocore.ClientError(response, "PutEvents"))) is EventBusUnavailableError


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (client_error("ExpiredToken"), "check the credentials"),
        (client_error("InvalidSignatureException"), "and the clock"),
        (botocore.NoCredentialsError(), "check the credentials"),
        (botocore.CredentialRetrievalError(provider="p", error_msg="e"), "check the credentials"),
        (botocore.UnauthorizedSSOTokenError(), "check the credentials"),
        (client_error("AccessDeniedException"), "give these credentials the permission"),
        (client_error("AccessDenied", "may not sqs:CreateQueue"), "permission (may not sqs:CreateQueue)"),
        (botocore.EndpointConnectionError(endpoint_url="http://x"), "check the network"),
        (botocore.ConnectTimeoutError(endpoint_url="http://x"), "AWS_ENDPOINT_URL"),
        (botocore.ReadTimeoutError(endpoint_url="http://x"), "check the network"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_the_message_says_what_to_do(error: Exception, advice: str) -> None:
    assert advice in str(published(error))
    assert advice in str(operated(error))


def test_the_message_names_operation_and_code() -> None:
    error = client_error("QueueDeletedRecently", operation="CreateQueue")

    assert str(operated(error)) == "creating the queue orders failed: QueueDeletedRecently at CreateQueue"


SECRET = "wJalrXUtnFEMI/K7MDENG"


@pytest.mark.parametrize(
    "error",
    [
        client_error("ValidationException", f"Value '{SECRET}' at 'entries.1.member.detail' failed"),
        client_error("SignatureDoesNotMatch", f"the canonical string is x-amz-security-token:{SECRET}"),
        client_error("NeverHeardOf", SECRET),
        botocore.ParamValidationError(report=f"Invalid type for parameter Detail, value: {SECRET}"),
        botocore.CredentialRetrievalError(provider="custom-process", error_msg=SECRET),
        botocore.HTTPClientError(error=SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_neither_message_nor_stack_trace_quotes_a_secret(error: Exception) -> None:
    for translated in (published(error), operated(error)):
        assert SECRET not in "".join(traceback.format_exception(translated))


def test_a_code_out_of_all_proportion_is_cut() -> None:
    assert len(str(error_for_entry("x" * 100_000))) < 200
    assert len(str(error_for_entry("AccessDeniedException", "x" * 100_000))) < 700
