"""The publisher on a faulty SNS, whose answers are written here as AWS documents them."""

import traceback
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

import pytest

from adapters.aws.sns.publisher import SnsPublisher
from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventRejectedError,
    EventTooLargeError,
)
from domain.model.events.event import Publication
from tests.support.aws.event_bridges import IMPATIENT
from tests.support.aws.page_server import PageServer, page_server
from tests.support.aws.silence import silent_endpoint
from tests.support.aws.topics import address_of, sns_client_of, sns_publisher
from tests.support.samples.factories import an_event

Failed = tuple[str, str, str]
"""Code, message, and whether the sender is at fault, of an entry that is refused."""


def answered(result: str) -> bytes:
    """Wrap the result of PublishBatch as SNS does."""
    inside = f"<PublishBatchResult>{result}</PublishBatchResult>"
    return f"<PublishBatchResponse>{inside}</PublishBatchResponse>".encode()


OF_THE_EVENT: list[tuple[type[EventPublishError], str, str]] = [
    (EventRejectedError, "InvalidParameter", "Invalid parameter: Message contains an invalid character"),
    (EventRejectedError, "ParameterValueInvalid", ""),
    (EventRejectedError, "ValidationException", ""),
    (EventTooLargeError, "InvalidParameter", "Invalid parameter: Message too long"),
    (EventTooLargeError, "BatchRequestTooLong", "The length of all the batch messages is too long."),
]
OF_SNS: list[tuple[type[EventPublishError], str, str]] = [
    (EventBusRefusesUsError, "AuthorizationError", "not authorized to perform: SNS:Publish on resource: t"),
    (EventBusRefusesUsError, "KMSAccessDenied", ""),
    (EventBusRefusesUsError, "InvalidClientTokenId", ""),
    (EventBusRefusesUsError, "InvalidSecurity", ""),
    (EventBusRefusesUsError, "ExpiredToken", ""),
    (EventBusRefusesUsError, "SignatureDoesNotMatch", ""),
    (EventBusUnavailableError, "NotFound", "Topic does not exist"),
    (EventBusUnavailableError, "InternalError", ""),
    (EventBusUnavailableError, "Throttling", "Rate exceeded"),
    (EventBusUnavailableError, "Throttled", ""),
    (EventBusUnavailableError, "KMSThrottling", ""),
    (EventBusUnavailableError, "KMSDisabled", ""),
    (EventBusUnavailableError, "EndpointDisabled", ""),
    (EventBusUnavailableError, "InvalidParameter", "Invalid parameter: TopicArn Reason: not in this region"),
    (EventBusUnavailableError, "NeverHeardOf", ""),
]
NONSENSE = [
    b"",
    b"{}",
    b"null",
    b"<html>captive portal</html>",
    b"\xff\xfe\x00",
    b"<PublishBatchResponse/>",
    answered(""),
    b"<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
    answered("<Successful><member><Id>0</Id></member></Successful>"),
    answered("<Successful><member><Id>7</Id><MessageId>m</MessageId></member></Successful>"),
    answered("<Successful><member><Id>0</Id><MessageId></MessageId></member></Successful>"),
    answered("<Successful><member><Id>0</Id><MessageId>m</MessageId>")[:90],
]


@pytest.fixture
def sns() -> Iterator[PageServer]:
    with page_server() as server:
        yield server


@pytest.fixture
def port(sns: PageServer) -> SnsPublisher:
    return sns_publisher(sns_client_of(sns.url), address_of("transcripts"))


def accepted(*numbers: int, failed: Sequence[tuple[int, Failed]] = ()) -> bytes:
    """Write the response of PublishBatch."""
    done = "".join(
        f"<member><Id>{number}</Id><MessageId>m-{number}</MessageId></member>" for number in numbers
    )
    refused = "".join(
        f"<member><Id>{number}</Id><Code>{code}</Code><Message>{escape(message)}</Message>"
        f"<SenderFault>{fault}</SenderFault></member>"
        for number, (code, message, fault) in failed
    )
    return answered(f"<Successful>{done}</Successful><Failed>{refused}</Failed>")


def refuse(sns: PageServer, code: str, message: str = "", status: int = 400) -> None:
    """Let SNS refuse every call as a whole."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    sns.page, sns.status = f"<ErrorResponse>{error}</ErrorResponse>".encode(), status


@pytest.mark.parametrize("fault", ["true", "false"])
@pytest.mark.parametrize(("kind", "code", "message"), [*OF_THE_EVENT, *OF_SNS])
def test_a_refused_entry_in_an_answer_of_200_takes_no_other_with_it(
    sns: PageServer, port: SnsPublisher, kind: type[EventPublishError], code: str, message: str, fault: str
) -> None:
    sns.page = accepted(0, 2, failed=[(1, (code, message, fault))])

    first, refused, last = port.publish_all([an_event() for _ in range(3)])

    assert isinstance(first, Publication)
    assert type(refused) is kind
    assert code in str(refused)
    assert isinstance(last, Publication)
    assert (first.event_id, last.event_id) == ("m-0", "m-2")


@pytest.mark.parametrize(("kind", "code", "message"), OF_SNS)
def test_a_fault_of_sns_is_the_outcome_of_every_event_in_the_call(
    sns: PageServer, port: SnsPublisher, kind: type[EventPublishError], code: str, message: str
) -> None:
    refuse(sns, code, message)

    outcomes = port.publish_all([an_event() for _ in range(3)])

    assert [type(outcome) for outcome in outcomes] == [kind] * 3


@pytest.mark.parametrize(("kind", "code", "message"), OF_THE_EVENT)
def test_a_call_that_is_refused_for_what_is_in_it_is_tried_again_one_by_one(
    sns: PageServer, port: SnsPublisher, kind: type[EventPublishError], code: str, message: str
) -> None:
    refuse(sns, code, message)

    assert [type(outcome) for outcome in port.publish_all([an_event(), an_event()])] == [kind] * 2


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_page_in_the_place_of_an_error_may_be_tried_again(
    sns: PageServer, port: SnsPublisher, status: int
) -> None:
    sns.page, sns.status = b"<html>maintenance</html>", status

    with pytest.raises(EventBusUnavailableError):
        port.publish(an_event())


@pytest.mark.parametrize("page", NONSENSE, ids=range(len(NONSENSE)))
def test_an_answer_that_makes_no_sense_is_no_acceptance(
    sns: PageServer, port: SnsPublisher, page: bytes
) -> None:
    sns.page = page

    with pytest.raises(EventBusUnavailableError):
        port.publish(an_event())


def test_an_entry_that_the_answer_forgets_is_not_accepted(sns: PageServer, port: SnsPublisher) -> None:
    sns.page = accepted(0)

    first, forgotten = port.publish_all([an_event(), an_event()])

    assert isinstance(first, Publication)
    assert isinstance(forgotten, EventBusUnavailableError)
    assert "SNS returned an unreadable response" in str(forgotten)


def test_a_refusal_wins_over_an_acceptance_of_the_same_entry(sns: PageServer, port: SnsPublisher) -> None:
    sns.page = accepted(0, failed=[(0, ("InternalError", "", "false"))])

    with pytest.raises(EventBusUnavailableError, match="InternalError"):
        port.publish(an_event())


def test_an_sns_that_never_answers_may_be_tried_again() -> None:
    with silent_endpoint() as url:
        port = sns_publisher(sns_client_of(url, IMPATIENT), address_of("transcripts"))

        with pytest.raises(EventBusUnavailableError, match="ReadTimeoutError"):
            port.publish(an_event())


def test_a_missing_topic_says_what_to_do(sns: PageServer, port: SnsPublisher) -> None:
    refuse(sns, "NotFound", "Topic does not exist", 404)

    with pytest.raises(EventBusUnavailableError, match="NotFound at PublishBatch: run `transcripts prov"):
        port.publish(an_event())


def test_no_message_and_no_stack_trace_quotes_what_was_sent(sns: PageServer, port: SnsPublisher) -> None:
    event = an_event(raw_transcript="my secret is safe")
    sns.page = accepted(failed=[(0, ("InvalidParameter", "'my secret is safe'", "true"))])

    with pytest.raises(EventRejectedError) as failure:
        port.publish(event)

    assert "secret is safe" not in "".join(traceback.format_exception(failure.value))
