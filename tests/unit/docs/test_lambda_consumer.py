"""The example for AWS Lambda, run as Lambda runs it: with the real Powertools, on an AWS in this process."""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from adapters.aws.s3.payload_store import S3PayloadStore
from domain.model.events.event import TEST_EVENT_LABEL, BatchProcessingCompletedV2, CompletedEvent
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "lambda_consumer.py"


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function of its run."""

    function_name: str = "consumer"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:consumer"
    aws_request_id: str = "a-request"

    def get_remaining_time_in_millis(self) -> int:
        return 5000


class Consumer:
    """The example, as a function that takes messages; what it saves is kept here."""

    def __init__(self, module: ModuleType) -> None:
        self.saved: list[tuple[str, str]] = []
        self.broken = False
        self._module = module
        module.save = self._save  # type: ignore[attr-defined]  # the place where a team's work goes

    def receive(self, *bodies: str) -> list[str]:
        """Hand over one batch; the messages that have to come again."""
        records = [
            {"messageId": str(number), "body": body, "eventSource": "aws:sqs"}
            for number, body in enumerate(bodies)
        ]
        answer = self._module.handler({"Records": records}, Context())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def _save(self, event: dict[str, Any], transcripts: dict[str, str]) -> None:
        if self.broken:
            raise RuntimeError("no such table")
        self.saved.append((event["interaction_id"], transcripts["cleaned_transcript"]))


def message(event: CompletedEvent, **changes: object) -> str:
    """An event in the envelope in which it arrives."""
    envelope = {"version": "0", "resources": [], "detail": json.loads(event.to_json())}
    return json.dumps(envelope | changes)


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Consumer]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("IDEMPOTENCY_TABLE", "seen")
    monkeypatch.setenv("PAYLOAD_BUCKET", "transcripts")
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="seen",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        spec = importlib.util.spec_from_file_location("lambda_consumer", EXAMPLE)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield Consumer(module)


def test_an_event_is_handled_once_even_if_it_arrives_again(consumer: Consumer) -> None:
    event = an_event()

    assert consumer.receive(message(event), message(event)) == []
    assert consumer.receive(message(event)) == []

    assert consumer.saved == [(str(event.interaction_id), "Hello world.")]


def test_only_failed_messages_are_redelivered_and_then_handled(consumer: Consumer) -> None:
    event, other = an_event(), an_event()

    assert consumer.receive(message(event), "no JSON") == ["1"]
    consumer.broken = True
    with pytest.raises(Exception, match="All records failed"):
        consumer.receive(message(other))
    consumer.broken = False
    assert consumer.receive(message(other)) == []

    assert [interaction_id for interaction_id, _ in consumer.saved] == [
        str(event.interaction_id),
        str(other.interaction_id),
    ]


def test_a_replay_is_handled_again(consumer: Consumer) -> None:
    event = an_event()

    for _ in range(2):
        assert consumer.receive(message(event), message(event, **{"replay-name": "august"})) == []

    assert len(consumer.saved) == 2


def test_a_version_that_nobody_knows_comes_again_until_it_is_a_dead_letter(consumer: Consumer) -> None:
    detail = json.loads(an_event().to_json())

    assert consumer.receive(message(an_event()), message(an_event(), detail=detail | {"version": "3.0"})) == [
        "1"
    ]
    assert consumer.receive(message(an_event(), detail=detail | {"version": "1.1", "new": True})) == []
    assert len(consumer.saved) == 2


def test_an_event_that_tests_the_route_is_left_out(consumer: Consumer) -> None:
    assert consumer.receive(message(an_event(), resources=[TEST_EVENT_LABEL])) == []
    assert consumer.saved == []


def test_large_transcripts_are_fetched_and_have_to_be_those_of_the_event(consumer: Consumer) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="transcripts")
    sound, changed = an_event(cleaned_transcript="Grüße."), an_event()
    store = S3PayloadStore(s3, bucket="transcripts")
    messages = []
    for event in (sound, changed):
        ref = store.store(event)
        messages.append(message(BatchProcessingCompletedV2.referring(event, ref)))
    s3.put_object(Bucket="transcripts", Key=ref.key, Body=b'{"cleaned_transcript": "Other words."}')

    assert consumer.receive(*messages) == ["1"]
    assert consumer.saved == [(str(sound.interaction_id), "Grüße.")]


def test_a_transcript_that_was_erased_is_no_failure(consumer: Consumer) -> None:
    event = an_event()
    boto3.client("s3").create_bucket(Bucket="transcripts")
    ref = S3PayloadStore(boto3.client("s3"), bucket="transcripts").store(event)
    boto3.client("s3").delete_object(Bucket="transcripts", Key=ref.key)

    assert consumer.receive(message(BatchProcessingCompletedV2.referring(event, ref))) == []
    assert consumer.saved == []
