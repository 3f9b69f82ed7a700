import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventTooLargeError,
)
from domain.model.events.event import Publication
from tests.contracts.event_port import Delivery, EventPortContract, Transport
from tests.support.aws.event_bridges import REGION
from tests.support.aws.topics import (
    ACCOUNT,
    KIB_256,
    KnownAccount,
    QueueBehindTopic,
    address_of,
    sns_client_of,
    sns_publisher,
    unreachable_sns_publisher,
)
from tests.support.samples.factories import A_TRACEPARENT, an_event

TOO_LONG_FOR_SNS = frozenset({"a day of talk"})  # 850 kB; the claim check takes it


@pytest.fixture(params=[True, False], ids=["raw", "enveloped"])
def behind(request: pytest.FixtureRequest) -> Iterator[tuple[Any, QueueBehindTopic]]:
    with mock_aws():
        sns, sqs = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
        yield sns, QueueBehindTopic(sns, sqs, topic="transcripts", queue="consumer", raw=request.param)


class TestSnsPublisherOnMoto(EventPortContract):
    @pytest.fixture
    def transport(self, behind: tuple[Any, QueueBehindTopic]) -> Transport:
        sns, queue = behind
        return Transport(
            sns_publisher(sns, address_of("transcripts")),
            queue.arrivals,
            Delivery(unknown_bus_is_refused=True, cannot_carry=TOO_LONG_FOR_SNS),
            to_unknown_bus=sns_publisher(sns, address_of("nowhere")),
            unreachable=unreachable_sns_publisher(),
        )


def body_of(entry: Any) -> Any:
    return json.loads(entry["Message"])


def test_the_message_is_a_cloud_event_with_attributes_for_filter_policies() -> None:
    event, client = an_event(), sns_client_of("http://127.0.0.1:1")
    port = sns_publisher(client, address_of("transcripts"))
    entry = port.entry(event, labels=("urn:a",), traceparent=A_TRACEPARENT)
    with Stubber(client) as stubber:
        stubber.add_response(
            "publish_batch",
            {"Successful": [{"Id": "0", "MessageId": "m-1"}], "Failed": []},
            expected_params={
                "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:transcripts",
                "PublishBatchRequestEntries": [port.entry(event, labels=(), traceparent=None)],
            },
        )
        assert port.publish(event).event_id == "m-1"

    assert body_of(entry)["id"] == str(event.interaction_id)
    assert body_of(entry)["labels"] == "urn:a"
    assert body_of(entry)["traceparent"] == A_TRACEPARENT
    assert {name: value["StringValue"] for name, value in entry["MessageAttributes"].items()} == {
        "detail-type": "BatchProcessingCompleted",
        "source": "com.yourapp.transcription",
        "tenant_id": str(event.tenant_id),
        "traceparent": A_TRACEPARENT,
    }


@pytest.mark.parametrize("context", [None, "", "unreadable", "00-zz"])
def test_a_trace_context_that_cannot_be_read_is_no_attribute(context: str | None) -> None:
    port = sns_publisher(sns_client_of("http://127.0.0.1:1"), address_of("transcripts"))

    entry = port.entry(an_event(), labels=(), traceparent=context)

    assert "traceparent" not in entry["MessageAttributes"]


def test_names_types_and_values_of_attributes_count_towards_the_size() -> None:
    port = sns_publisher(sns_client_of("http://127.0.0.1:1"), address_of("transcripts"))
    entry = port.entry(an_event(raw_transcript="Grüße 𝄞"), labels=(), traceparent=None)
    attributes = (
        "detail-typeStringBatchProcessingCompletedsourceStringcom.yourapp.transcriptiontenant_idString"
    )

    assert port.size_of(entry) == len(entry["Message"].encode()) + len(attributes) + 36


@pytest.mark.parametrize("limit", [KIB_256, 2**20])
def test_an_event_of_exactly_the_limit_is_sent_and_one_byte_more_is_not(limit: int) -> None:
    with mock_aws():
        sns, counted = boto3.client("sns", region_name=REGION), []
        sns.meta.events.register("before-call.sns.PublishBatch", lambda **_: counted.append(1))
        sns.create_topic(Name="transcripts")
        port = sns_publisher(sns, address_of("transcripts"), max_bytes=limit)
        room = limit - port.size_of(port.entry(an_event(raw_transcript=""), labels=(), traceparent=None))

        port.publish_all([an_event(raw_transcript="x" * room)])
        with pytest.raises(EventTooLargeError, match=f"has {limit + 1} bytes, and the limit is {limit}"):
            port.publish(an_event(raw_transcript="x" * (room + 1)))

        assert len(counted) == 1


def test_a_call_holds_ten_messages_and_no_more_bytes_than_one_may_have() -> None:
    with mock_aws():
        sns, sizes = boto3.client("sns", region_name=REGION), []
        sns.meta.events.register(
            "provide-client-params.sns.PublishBatch",
            lambda params, **_: sizes.append(len(params["PublishBatchRequestEntries"])),
        )
        sns.create_topic(Name="transcripts")
        port = sns_publisher(sns, address_of("transcripts"))
        small, large = [an_event() for _ in range(12)], [an_event(raw_transcript="x" * 100_000)] * 3

        outcomes = port.publish_all([*small, *large])

    assert all(isinstance(outcome, Publication) for outcome in outcomes)
    assert sizes == [10, 4, 1]


def test_sts_is_asked_once_for_the_account() -> None:
    sts = KnownAccount("999999999999")
    address = address_of("transcripts", sts)

    assert sts.asked == 0
    assert {address.arn, address.arn} == {"arn:aws:sns:us-east-1:999999999999:transcripts"}
    assert sts.asked == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ExpiredToken", EventBusRefusesUsError), ("InternalFailure", EventBusUnavailableError)],
)
def test_a_failure_of_sts_is_a_failure_to_publish(code: str, kind: type[EventPublishError]) -> None:
    client: Any = boto3.client("sts", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stubber:
        stubber.add_client_error("get_caller_identity", code)
        port = sns_publisher(sns_client_of("http://127.0.0.1:1"), address_of("transcripts", client))

        (outcome,) = port.publish_all([an_event()])

    assert type(outcome) is kind
