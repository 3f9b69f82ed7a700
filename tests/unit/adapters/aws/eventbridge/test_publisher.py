import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.eventbridge.publisher import EventBridgePublisher, entry_size, put_events_entry
from adapters.aws.trace_header import traceparent
from domain.model.errors import EventTooLargeError
from domain.model.events.event import DEFAULT_EVENT_SOURCE, Publication
from domain.model.events.kinds import EventKind, read_kind
from tests.contracts.event_port import Arrival, Delivery, EventPortContract, Transport
from tests.support.aws.event_bridges import (
    REGION,
    QueueBehindRule,
    client_of,
    publisher,
    unreachable_publisher,
)
from tests.support.doubles.stub_bus import StubBus
from tests.support.samples.factories import A_MOMENT, an_event


@pytest.fixture
def bus() -> Iterator[StubBus]:
    with StubBus("transcripts") as bus:
        yield bus


def arrival(entry: dict[str, Any]) -> Arrival:
    return Arrival(read_kind(entry["Detail"], EventKind.COMPLETED), tuple(entry.get("Resources", ())))


class TestEventBridgePublisherOnMoto(EventPortContract):
    @pytest.fixture
    def transport(self) -> Iterator[Transport]:
        with mock_aws():
            events, sqs = boto3.client("events", region_name=REGION), boto3.client("sqs", region_name=REGION)
            queue = QueueBehindRule(events, sqs, bus="transcripts", queue="consumer")
            yield Transport(
                publisher(events, "transcripts"),
                queue.arrivals,
                Delivery(unknown_bus_is_refused=True, cannot_carry=frozenset({"looks like a placeholder"})),
                to_unknown_bus=publisher(events, "nowhere"),
                unreachable=unreachable_publisher(),
            )


class TestEventBridgePublisherOnStubBus(EventPortContract):
    @pytest.fixture
    def transport(self, bus: StubBus) -> Transport:
        client = client_of(bus.url)
        return Transport(
            publisher(client, "transcripts"),
            lambda _count: [arrival(entry) for entry in bus.accepted],
            to_unknown_bus=publisher(client, "nowhere"),
            unreachable=unreachable_publisher(),
            traceparents=lambda: [traceparent(entry.get("TraceHeader")) for entry in bus.accepted],
        )


def test_the_structure_sent_is_the_one_required() -> None:
    event, event_id = an_event(), str(uuid4())
    client = client_of("http://127.0.0.1:1")
    expected = {
        "EventBusName": "transcripts",
        "Source": "com.yourapp.transcription",
        "DetailType": "BatchProcessingCompleted",
        "Detail": event.to_json(),
        "Resources": ["urn:a"],
        "Time": A_MOMENT,
    }
    with Stubber(client) as stubber:
        stubber.add_response(
            "put_events",
            {"FailedEntryCount": 0, "Entries": [{"EventId": event_id}]},
            expected_params={"Entries": [expected]},
        )
        publication = publisher(client, "transcripts").publish(event, labels=("urn:a",))
        stubber.assert_no_pending_responses()

    assert publication.event_id == event_id


def test_the_detail_on_the_wire_has_every_field_of_the_schema(bus: StubBus) -> None:
    publisher(client_of(bus.url), "transcripts").publish(an_event())

    detail = json.loads(bus.accepted[0]["Detail"])
    assert list(detail) == [
        "version",
        "interaction_id",
        "tenant_id",
        "user_id",
        "account_id",
        "timestamp",
        "status",
        "data",
    ]
    assert detail["version"] == "1.0"
    assert detail["status"] == "completed"


def test_an_event_of_exactly_the_limit_is_sent_and_one_byte_more_is_not(bus: StubBus) -> None:
    port = publisher(client_of(bus.url), "transcripts")
    envelope = put_events_entry(
        an_event(raw_transcript=""), bus_name="transcripts", source=DEFAULT_EVENT_SOURCE, labels=()
    )
    room = 1_000_000 - entry_size(envelope)

    port.publish(an_event(raw_transcript="x" * room))
    with pytest.raises(EventTooLargeError, match="has 1000001 bytes, and the limit is 1000000"):
        port.publish(an_event(raw_transcript="x" * (room + 1)))

    assert bus.calls == 1


def test_ten_events_travel_in_one_call(bus: StubBus) -> None:
    events = [an_event() for _ in range(25)]

    outcomes = publisher(client_of(bus.url), "transcripts").publish_all(events)

    assert bus.calls == 3
    assert [json.loads(entry["Detail"])["interaction_id"] for entry in bus.accepted] == [
        str(event.interaction_id) for event in events
    ]
    assert len({outcome.event_id for outcome in outcomes if isinstance(outcome, Publication)}) == 25


def test_a_call_holds_no_more_bytes_than_one_event_may_have(bus: StubBus) -> None:
    events = [an_event(raw_transcript="x" * 300_000) for _ in range(7)]

    outcomes = publisher(client_of(bus.url), "transcripts").publish_all(events)

    assert all(isinstance(outcome, Publication) for outcome in outcomes)
    assert bus.calls == 3


def test_an_event_that_is_too_large_is_not_sent_and_the_others_are(bus: StubBus) -> None:
    large = an_event(raw_transcript="x" * 1_100_000)

    outcomes = publisher(client_of(bus.url), "transcripts").publish_all([an_event(), large, an_event()])

    assert [type(outcome) for outcome in outcomes] == [Publication, EventTooLargeError, Publication]
    assert len(bus.accepted) == 2


def test_the_limit_is_a_setting(bus: StubBus) -> None:
    port = EventBridgePublisher(
        client_of(bus.url), bus_name="transcripts", source="s", region=REGION, max_bytes=100
    )

    with pytest.raises(EventTooLargeError, match="the limit is 100"):
        port.publish(an_event())
    assert bus.calls == 0


def test_a_bus_that_takes_less_than_we_think_refuses_only_what_is_too_large_for_it() -> None:
    small, large = an_event(), an_event(raw_transcript="x" * 300_000)
    with StubBus(max_bytes=262_144) as bus:
        outcomes = publisher(client_of(bus.url)).publish_all([small, large, small])

    assert [type(outcome) for outcome in outcomes] == [Publication, EventTooLargeError, Publication]
    assert len(bus.accepted) == 2
