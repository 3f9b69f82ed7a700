"""Answers of 200 in every protocol: AWS's own pass, and those of other servers do not."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from moto import mock_aws

from adapters.aws.errors import ForeignAnswerError
from bootstrap.aws.clients import (
    AwsAccess,
    cloudwatch_client,
    events_client,
    kms_client,
    relaying_client,
    s3_client,
    sound_client,
    sqs_client,
    sts_client,
    transcribe_client,
)
from tests.support.aws.page_server import PageServer, page_server

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
AGE = {
    "Id": "age",
    "MetricStat": {
        "Metric": {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": []},
        "Period": 60,
        "Stat": "Maximum",
    },
}
JOB: Any = {"TranscriptionJobName": "orders"}
ENTRY: Any = {"Source": "a", "DetailType": "b", "Detail": "{}"}

CALLS: dict[str, tuple[Callable[[AwsAccess], Any], Callable[[Any], Any]]] = {
    "SQS GetQueueUrl": (sqs_client, lambda sqs: sqs.get_queue_url(QueueName="orders")),
    "SQS CreateQueue": (sqs_client, lambda sqs: sqs.create_queue(QueueName="orders")),
    "EventBridge DescribeEventBus": (events_client, lambda events: events.describe_event_bus()),
    "EventBridge PutEvents": (
        lambda access: relaying_client(access, threads=1),
        lambda events: events.put_events(Entries=[ENTRY]),
    ),
    "KMS DescribeKey": (kms_client, lambda kms: kms.describe_key(KeyId="alias/orders")),
    "STS GetCallerIdentity": (sts_client, lambda sts: sts.get_caller_identity()),
    "CloudWatch GetMetricData": (
        cloudwatch_client,
        lambda metrics: metrics.get_metric_data(
            StartTime=NOW - timedelta(hours=1), EndTime=NOW, MetricDataQueries=[AGE]
        ),
    ),
    "S3 PutObject": (s3_client, lambda s3: s3.put_object(Bucket="orders", Key="a", Body=b"x")),
    "S3 GetObject": (s3_client, lambda s3: s3.get_object(Bucket="orders", Key="a")),
    "S3 ListObjectsV2": (s3_client, lambda s3: s3.list_objects_v2(Bucket="orders")),
    "S3 CreateMultipartUpload": (
        sound_client,
        lambda s3: s3.create_multipart_upload(Bucket="orders", Key="b"),
    ),
    "Transcribe StartTranscriptionJob": (
        transcribe_client,
        lambda transcribe: transcribe.start_transcription_job(**JOB, Media={"MediaFileUri": "s3://orders/a"}),
    ),
    "Transcribe GetTranscriptionJob": (
        transcribe_client,
        lambda transcribe: transcribe.get_transcription_job(**JOB),
    ),
    "Transcribe ListTranscriptionJobs": (
        transcribe_client,
        lambda transcribe: transcribe.list_transcription_jobs(),
    ),
}
PAGES = {
    "an HTML page": b"<!doctype html><html><title>Log in</title></html>",
    "XML": b'<?xml version="1.0"?><page>maintenance</page>',
    "a JSON object": b"{}",
    "a JSON list": b"[]",
    "JSON's null": b"null",
    "text": b"OK",
    "an empty answer": b"",
}


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    with page_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.parametrize("name", CALLS)
def test_a_page_of_another_server_is_named_with_service_and_operation(server: PageServer, name: str) -> None:
    make, call = CALLS[name]
    client = make(AwsAccess("us-east-1", server.url))
    server.status = 200

    for kind, server.page in PAGES.items():
        with pytest.raises(ForeignAnswerError) as refusal:
            call(client)
        assert str(refusal.value).startswith(f"{name} was answered with ")
        assert kind in str(refusal.value) or "GetObject" in name
        assert "Log in" not in str(refusal.value)


@pytest.mark.parametrize("name", CALLS)
def test_an_error_with_any_body_stays_an_error_of_botocore(server: PageServer, name: str) -> None:
    make, call = CALLS[name]
    client = make(AwsAccess("us-east-1", server.url))
    server.status = 404

    for server.page in (b"[]", b"null", b"<html>not here</html>", b""):
        with pytest.raises((ClientError, ResponseParserError)):
            call(client)


def test_the_answers_of_aws_pass() -> None:
    with mock_aws():
        access = AwsAccess("us-east-1")
        s3: Any = s3_client(access)
        s3.create_bucket(Bucket="orders")
        key = kms_client(access).create_key()["KeyMetadata"]["KeyId"]
        kms_client(access).create_alias(AliasName="alias/orders", TargetKeyId=key)
        for name in sorted(CALLS, key=lambda name: "Get" in name):  # creates before it gets
            make, call = CALLS[name]
            assert call(make(access))["ResponseMetadata"]["HTTPStatusCode"] == 200
