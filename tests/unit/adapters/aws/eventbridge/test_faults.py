"""The publisher on a faulty bus; the stub bus behaves as AWS documents."""

import json
import traceback
from collections.abc import Iterator
from dataclasses import replace

import pytest

from adapters.aws.eventbridge.publisher import EventBridgePublisher
from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventRejectedError,
    EventTooLargeError,
)
from domain.model.events.event import Publication
from tests.support.aws.event_bridges import IMPATIENT, PATIENT, client_of, publisher
from tests.support.doubles.bus_faults import (
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
)
from tests.support.doubles.stub_bus import StubBus
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow

REJECTING: list[Fault] = [
    Refusal("InvalidArgument"),
    Refusal("MalformedDetail", "Detail is malformed."),
    Refusal("RedactionFailure"),
    CallError(400, "ValidationException"),
]

TOO_LARGE: list[Fault] = [
    CallError(400, "ValidationException", "Total size of the entries in the request is over the limit."),
    CallError(413, "RequestEntityTooLarge"),
    Garbage(b"<html>413</html>", 413),
]

REFUSING_US: list[Fault] = [
    Refusal("AccessDeniedException"),
    Refusal("InvalidAccountIdException"),
    Refusal("NotAuthorizedForSourceException"),
    Refusal("NotAuthorizedForDetailTypeException"),
    EXPIRED_TOKEN,
    ACCESS_DENIED,
    CallError(400, "UnrecognizedClientException"),
    CallError(403, "InvalidSignatureException", "Signature expired"),
]

UNAVAILABLE: list[Fault] = [
    Refusal("InternalFailure"),
    Refusal("ThrottlingException", "Rate exceeded"),
    Refusal("TargetDeliveryFailure"),
    Refusal("NeverHeardOf"),
    INTERNAL_ERROR,
    THROTTLED,
    CallError(400, "ResourceNotFoundException"),
    CallError(400, "NeverHeardOf"),
    CallError(429, "TooManyRequestsException"),
    CallError(503, "ServiceUnavailable"),
    Cut.RESET,
    Cut.HALFWAY,
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
def port(bus: StubBus, request: pytest.FixtureRequest) -> EventBridgePublisher:
    """A short timeout only where the bus hangs: a busy machine takes its time for every other answer."""
    return publisher(client_of(bus.url, IMPATIENT if str(Cut.HANG) in request.node.name else PATIENT))


OF_THE_EVENT: list[tuple[type[EventPublishError], Fault]] = [
    *((EventRejectedError, fault) for fault in REJECTING),
    *((EventTooLargeError, fault) for fault in TOO_LARGE),
]
OF_THE_BUS: list[tuple[type[EventPublishError], Fault]] = [
    *((EventBusRefusesUsError, fault) for fault in REFUSING_US),
    *((EventBusUnavailableError, fault) for fault in UNAVAILABLE),
]
OF_THE_WHOLE_CALL = [(kind, fault) for kind, fault in OF_THE_BUS if not isinstance(fault, Refusal)]
OF_ONE_ENTRY = [(kind, fault) for kind, fault in [*OF_THE_EVENT, *OF_THE_BUS] if isinstance(fault, Refusal)]


@pytest.mark.parametrize(("kind", "fault"), OF_THE_EVENT, ids=str)
def test_what_is_the_events_fault_is_not_worth_another_try(
    bus: StubBus, port: EventBridgePublisher, kind: type[EventPublishError], fault: Fault
) -> None:
    bus.fail_next(fault)

    with pytest.raises(EventRejectedError) as failure:
        port.publish(an_event())
    assert type(failure.value) is kind


@pytest.mark.parametrize(("kind", "fault"), OF_THE_BUS, ids=str)
def test_what_is_not_the_events_fault_may_be_tried_again(
    bus: StubBus, port: EventBridgePublisher, kind: type[EventPublishError], fault: Fault
) -> None:
    bus.fail_next(fault)

    with pytest.raises(EventBusUnavailableError) as failure:
        port.publish(an_event())
    assert type(failure.value) is kind
    assert port.publish(an_event()).event_id


@pytest.mark.parametrize(("kind", "fault"), OF_THE_WHOLE_CALL, ids=str)
def test_a_fault_of_the_bus_is_the_outcome_of_every_event_in_the_call(
    bus: StubBus, port: EventBridgePublisher, kind: type[EventPublishError], fault: Fault
) -> None:
    bus.fail_next(fault)

    outcomes = port.publish_all([an_event() for _ in range(3)])

    assert [type(outcome) for outcome in outcomes] == [kind] * 3
    assert bus.calls == 1


@pytest.mark.parametrize(("kind", "fault"), OF_ONE_ENTRY, ids=str)
def test_a_refused_entry_takes_no_other_with_it(
    bus: StubBus, port: EventBridgePublisher, kind: type[EventPublishError], fault: Refusal
) -> None:
    bus.fail_next(replace(fault, at=1))

    outcomes = port.publish_all([an_event() for _ in range(3)])

    assert [type(outcome) for outcome in outcomes] == [Publication, kind, Publication]
    assert len(bus.accepted) == 2


@pytest.mark.parametrize("fault", [REJECTING[-1], *TOO_LARGE], ids=str)
def test_a_call_that_is_refused_for_what_is_in_it_is_tried_again_one_by_one(
    bus: StubBus, port: EventBridgePublisher, fault: Fault
) -> None:
    bus.fail_next(fault, None, fault)

    outcomes = port.publish_all([an_event() for _ in range(3)])

    assert [isinstance(outcome, Publication) for outcome in outcomes] == [True, False, True]
    assert isinstance(outcomes[1], EventRejectedError)
    assert bus.calls == 4


@pytest.mark.parametrize(
    "results",
    [
        [{"EventId": "e-1"}, {"EventId": "e-2"}],
        [{"EventId": "e-1"}] * 4,
        [{"EventId": "e-1"}, {}, {"EventId": "e-3"}],
        [{"EventId": "e-1"}, 7, {"EventId": "e-3"}],
        [{"EventId": "e-1"}, {"EventId": ""}, {"EventId": "e-3"}],
    ],
    ids=str,
)
def test_what_an_answer_does_not_confirm_is_not_accepted(
    bus: StubBus, port: EventBridgePublisher, results: list[object]
) -> None:
    bus.fail_next(Garbage(json.dumps({"FailedEntryCount": 0, "Entries": results}).encode()))

    outcomes = port.publish_all([an_event() for _ in range(3)])

    assert len(outcomes) == 3
    assert isinstance(outcomes[1], EventBusUnavailableError)


def test_nothing_is_believed_where_the_count_of_refusals_does_not_fit(
    bus: StubBus, port: EventBridgePublisher
) -> None:
    results = [{"EventId": "e-1"}, {"ErrorCode": "MalformedDetail"}]
    bus.fail_next(Garbage(json.dumps({"FailedEntryCount": 2, "Entries": results}).encode()))

    accepted, refused = port.publish_all([an_event(), an_event()])

    assert isinstance(accepted, EventBusUnavailableError)
    assert isinstance(refused, EventRejectedError)


@pytest.mark.parametrize("body", NONSENSE, ids=repr)
def test_an_answer_that_makes_no_sense_is_no_acceptance(
    bus: StubBus, port: EventBridgePublisher, body: bytes
) -> None:
    bus.fail_next(Garbage(body))

    with pytest.raises(EventBusUnavailableError, match="EventBridge returned an unreadable response"):
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

    text = "".join(traceback.format_exception(failure.value))
    assert "secret is safe" not in text
    assert "secret-of-the-tests" not in text
