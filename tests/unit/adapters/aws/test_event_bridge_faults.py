"""What becomes of an event where the bus misbehaves; the stub bus does what AWS documents."""

import json
import traceback
from collections.abc import Iterator

import pytest

from adapters.aws.event_bridge import EventBridgePublisher
from domain.model.errors import EventBusUnavailableError, EventPublishError, EventRejectedError
from tests.event_bridges import impatient_client, publisher
from tests.factories import an_event
from tests.stub_bus import (
    ACCESS_DENIED,
    EXPIRED_TOKEN,
    INTERNAL_ERROR,
    THROTTLED,
    CallError,
    Cut,
    EntryCount,
    Fault,
    Garbage,
    Latency,
    Refusal,
    StubBus,
)

REJECTING: list[Fault] = [
    Refusal("InvalidArgument"),
    Refusal("MalformedDetail", "Detail is malformed."),
    Refusal("RedactionFailure"),
    CallError(400, "ValidationException"),
    CallError(413, "RequestEntityTooLarge"),
    Garbage(b"<html>413</html>", 413),
]

UNAVAILABLE: list[Fault] = [
    Refusal("InternalFailure"),
    Refusal("ThrottlingException", "Rate exceeded"),
    Refusal("AccessDeniedException"),
    Refusal("InvalidAccountIdException"),
    Refusal("NotAuthorizedForSourceException"),
    Refusal("NotAuthorizedForDetailTypeException"),
    Refusal("TargetDeliveryFailure"),
    Refusal("NeverHeardOf"),
    INTERNAL_ERROR,
    THROTTLED,
    EXPIRED_TOKEN,
    ACCESS_DENIED,
    CallError(400, "UnrecognizedClientException"),
    CallError(403, "InvalidSignatureException", "Signature expired"),
    CallError(400, "ResourceNotFoundException"),
    CallError(400, "NeverHeardOf"),
    CallError(429, "TooManyRequestsException"),
    CallError(503, "ServiceUnavailable"),
    Cut.RESET,
    Cut.CLOSE,
    Cut.HANG,
    EntryCount(0),
    EntryCount(2),
]

NONSENSE = [
    b"",
    b"<html>captive portal</html>",
    b"\xff\xfe\x00",
    b"{}",
    b"[1]",
    b"null",
    b'"text"',
    b'{"Entries": 3, "FailedEntryCount": 0}',
    b'{"Entries": [3], "FailedEntryCount": 0}',
    b'{"Entries": null, "FailedEntryCount": 0}',
    b'{"Entries": [{}], "FailedEntryCount": 0}',
    b'{"Entries": [{"EventId": 7}], "FailedEntryCount": 0}',
    b'{"Entries": [{"EventId": ""}], "FailedEntryCount": 0}',
    b'{"Entries": [{"EventId": "e-1"}]}',
    b'{"Entries": [{"EventId": "e-1"}], "FailedEntryCount": 1}',
    b'{"Entries": [{"EventId": "e-1"}], "FailedEntryCount": "none"}',
    b'{"Entries": [{"EventId": "e-1"}, {"EventId": "e-2"}], "FailedEntryCount": 0}',
    b'{"FailedEntryCount": 0}',
]


@pytest.fixture
def bus() -> Iterator[StubBus]:
    with StubBus() as bus:
        yield bus


@pytest.fixture
def port(bus: StubBus) -> EventBridgePublisher:
    return publisher(impatient_client(bus.url))


@pytest.mark.parametrize("fault", REJECTING, ids=str)
def test_what_is_the_events_fault_is_not_worth_another_try(
    bus: StubBus, port: EventBridgePublisher, fault: Fault
) -> None:
    bus.fail_next(fault)

    with pytest.raises(EventRejectedError):
        port.publish(an_event())


@pytest.mark.parametrize("fault", UNAVAILABLE, ids=str)
def test_what_is_not_the_events_fault_may_be_tried_again(
    bus: StubBus, port: EventBridgePublisher, fault: Fault
) -> None:
    bus.fail_next(fault)

    with pytest.raises(EventBusUnavailableError):
        port.publish(an_event())
    assert port.publish(an_event()).event_id


@pytest.mark.parametrize("body", NONSENSE, ids=repr)
def test_an_answer_that_makes_no_sense_is_no_acceptance(
    bus: StubBus, port: EventBridgePublisher, body: bytes
) -> None:
    bus.fail_next(Garbage(body))

    with pytest.raises(EventBusUnavailableError, match="the bus answered nonsense"):
        port.publish(an_event())


@pytest.mark.parametrize("status", [302, 400, 404, 500, 502])
@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[1]", b"null", b'{"__type": {}}'], ids=repr)
def test_an_error_that_makes_no_sense_may_be_tried_again(
    bus: StubBus, port: EventBridgePublisher, status: int, body: bytes
) -> None:
    bus.fail_next(Garbage(body, status))

    with pytest.raises(EventBusUnavailableError):
        port.publish(an_event())


def test_an_error_beside_an_event_id_is_an_error(bus: StubBus, port: EventBridgePublisher) -> None:
    result = {"EventId": "e-1", "ErrorCode": "InternalFailure"}
    bus.fail_next(Garbage(json.dumps({"FailedEntryCount": 0, "Entries": [result]}).encode()))

    with pytest.raises(EventBusUnavailableError, match="InternalFailure"):
        port.publish(an_event())


def test_a_slow_answer_is_an_answer(bus: StubBus, port: EventBridgePublisher) -> None:
    bus.fail_next(Latency(0.05))

    assert port.publish(an_event()).event_id


def test_the_code_is_named(bus: StubBus, port: EventBridgePublisher) -> None:
    bus.fail_next(Refusal("MalformedDetail"), THROTTLED)

    with pytest.raises(EventRejectedError, match="refused the event: MalformedDetail"):
        port.publish(an_event())
    with pytest.raises(EventBusUnavailableError, match="ThrottlingException at PutEvents"):
        port.publish(an_event())


@pytest.mark.parametrize(
    "fault",
    [
        Refusal("MalformedDetail", "value 'my secret is safe' is malformed"),
        CallError(400, "ValidationException", "value 'my secret is safe' failed to satisfy constraint"),
        CallError(403, "InvalidSignatureException", "x-amz-security-token: my secret is safe"),
        CallError(400, "NeverHeardOf", "my secret is safe"),
        Garbage(b"my secret is safe", 400),
        Garbage(b'"my secret is safe"'),
    ],
    ids=str,
)
def test_no_message_and_no_stack_trace_quotes_what_was_sent(
    bus: StubBus, port: EventBridgePublisher, fault: Fault
) -> None:
    event = an_event(raw_transcript="my secret is safe")
    bus.fail_next(fault)

    with pytest.raises(EventPublishError) as failure:
        port.publish(event)

    told = "".join(traceback.format_exception(failure.value))
    assert "secret is safe" not in told
    assert "secret-of-the-tests" not in told
