import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.event_entry import entry_size, put_events_entry
from domain.model.errors import EventRejectedError
from domain.model.events import DEFAULT_EVENT_SOURCE, BatchProcessingCompleted
from tests.contracts.event_port import Arrival, Delivery, EventPortContract, Transport
from tests.event_bridges import REGION, QueueBehindRule, impatient_client, publisher, unreachable_publisher
from tests.factories import A_MOMENT, an_event
from tests.stub_bus import StubBus


@pytest.fixture
def bus() -> Iterator[StubBus]:
    with StubBus("transcripts") as bus:
        yield bus


def arrival(entry: dict[str, Any]) -> Arrival:
    return Arrival(
        BatchProcessingCompleted.model_validate_json(entry["Detail"]), tuple(entry.get("Resources", ()))
    )


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
        client = impatient_client(bus.url)
        return Transport(
            publisher(client, "transcripts"),
            lambda _count: [arrival(entry) for entry in bus.accepted],
            to_unknown_bus=publisher(client, "nowhere"),
            unreachable=unreachable_publisher(),
        )


def test_the_structure_sent_is_the_one_required() -> None:
    event, event_id = an_event(), str(uuid4())
    client = impatient_client("http://127.0.0.1:1")
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
    publisher(impatient_client(bus.url), "transcripts").publish(an_event())

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


def test_region_and_bus_are_logged_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    publisher(impatient_client("http://127.0.0.1:1"), "transcripts")

    (record,) = (record for record in caplog.records if record.name == "adapters.aws.event_bridge")
    assert record.levelno == logging.INFO
    assert vars(record)["region"] == REGION
    assert vars(record)["bus_name"] == "transcripts"


def test_an_event_of_exactly_the_limit_is_sent_and_one_byte_more_is_not(bus: StubBus) -> None:
    port = publisher(impatient_client(bus.url), "transcripts")
    envelope = put_events_entry(
        an_event(raw_transcript=""), bus_name="transcripts", source=DEFAULT_EVENT_SOURCE, labels=()
    )
    room = 1_048_576 - entry_size(envelope)

    port.publish(an_event(raw_transcript="x" * room))
    with pytest.raises(EventRejectedError, match="has 1048577 bytes, and EventBridge takes 1048576"):
        port.publish(an_event(raw_transcript="x" * (room + 1)))

    assert bus.calls == 1
