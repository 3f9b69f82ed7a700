"""Recording of this process's AWS calls, as IAM checks them: an action on a resource."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3

from bootstrap.aws.clients import AwsAccess

REGION, ACCOUNT = "us-east-1", "000000000000"
"""Region and account of LocalStack."""

Params = Mapping[str, Any]
Context = dict[str, tuple[str, ...]]


class Call(NamedTuple):
    """An action on one resource, with the condition keys that it carries."""

    action: str
    resource: str
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


class Recorder:
    """Records the calls made so far."""

    def __init__(self) -> None:
        self._made: list[tuple[str, Params]] = []

    def record(self, params: Params, model: Any, **_: object) -> None:
        """Record a call; botocore calls this before each call, from several threads."""
        self._made.append((f"{model.service_model.service_name}:{model.name}", dict(params)))

    @property
    def operations(self) -> set[str]:
        """Service and operation of each call."""
        return {operation for operation, _ in self._made}

    @property
    def calls(self) -> set[Call]:
        """Permissions that IAM checked for them; KeyError for an operation without a known action."""
        return {call for operation, params in self._made for call in calls_of(operation, params)}


@contextmanager
def recorded_calls() -> Iterator[Recorder]:
    """Record the calls of clients that `bootstrap.aws.clients` creates within the context."""
    recorder = Recorder()

    def session(access: AwsAccess) -> boto3.Session:
        made = boto3.Session(region_name=access.region)
        made.events.register("provide-client-params.*.*", recorder.record)
        return made

    with patch.object(AwsAccess, "session", property(session)):
        yield recorder


def calls_of(operation: str, params: Params) -> Iterator[Call]:
    """Return the permissions that IAM checks for an operation."""
    action, resources, context = OPERATIONS[operation]
    if operation == "s3:DeleteObject" and "VersionId" in params:
        action = "s3:DeleteObjectVersion"
    carried = tuple(sorted(context(params).items()))
    for resource in resources(params):
        yield Call(action, resource, carried)
    for implied, resource in moving(params) if operation.endswith(TASKS) else ():
        yield Call(implied, resource)
    for implied, resource in transcribing(params) if operation.endswith(":StartTranscriptionJob") else ():
        yield Call(implied, resource)


def arn(service: str, path: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{path}"


def _queue(params: Params) -> list[str]:
    return [arn("sqs", params.get("QueueName") or params["QueueUrl"].rpartition("/")[2])]


def _queue_of_the_task(params: Params) -> list[str]:
    return [json.loads(base64.b64decode(params["TaskHandle"]))["sourceArn"]]


def _rule(params: Params) -> list[str]:
    bus, name = params["EventBusName"], params.get("Rule") or params["Name"]
    return [arn("events", f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}")]


def _buses(params: Params) -> list[str]:
    return sorted({arn("events", f"event-bus/{entry['EventBusName']}") for entry in params["Entries"]})


def _replay(params: Params) -> list[str]:
    return [arn("events", f"replay/{params['ReplayName']}")]


def _archive(params: Params) -> list[str]:
    return [arn("events", f"archive/{params['ArchiveName']}")]


def _object(params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"]


def _bucket(params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}"]


def _media(params: Params) -> list[str]:
    return [params["Media"]["MediaFileUri"].replace("s3://", "arn:aws:s3:::")]


def _job(params: Params) -> list[str]:
    return [arn("transcribe", f"transcription-job/{params['TranscriptionJobName']}")]


def _output_bucket(params: Params) -> Context:
    return {"transcribe:OutputBucketName": (params["OutputBucketName"],)}


def _key(params: Params) -> list[str]:
    return [arn("kms", f"key/{params['KeyId'].rpartition('/')[2]}")]


def _nothing(_: Params) -> list[str]:
    return ["*"]


def _plain(_: Params) -> Context:
    return {}


def _sources(params: Params) -> Context:
    entries = params["Entries"]
    return {
        "events:source": tuple(sorted({entry["Source"] for entry in entries})),
        "events:detail-type": tuple(sorted({entry["DetailType"] for entry in entries})),
    }


def _targets(params: Params) -> Context:
    return {"events:TargetArn": tuple(target["Arn"] for target in params["Targets"])}


def _topic(params: Params) -> list[str]:
    return [params["TopicArn"] if "TopicArn" in params else arn("sns", params["Name"])]


def _subscribing(params: Params) -> Context:
    return {"sns:Protocol": (params["Protocol"],), "sns:Endpoint": (params["Endpoint"],)}


def _prefix(params: Params) -> Context:
    return {"s3:prefix": (params["Prefix"],)}


_Operation = tuple[str, Callable[[Params], list[str]], Callable[[Params], Context]]


def _same(service: str, names: str, resources: Callable[[Params], list[str]]) -> dict[str, _Operation]:
    """Map operations whose action has the same name."""
    return {f"{service}:{name}": (f"{service}:{name}", resources, _plain) for name in names.split()}


OPERATIONS: dict[str, _Operation] = {
    **_same("sqs", "GetQueueUrl GetQueueAttributes SetQueueAttributes CreateQueue DeleteQueue", _queue),
    **_same("sqs", "ReceiveMessage DeleteMessage ChangeMessageVisibility ListDeadLetterSourceQueues", _queue),
    **_same("sqs", "StartMessageMoveTask ListMessageMoveTasks", lambda params: [params["SourceArn"]]),
    **_same("sqs", "CancelMessageMoveTask", _queue_of_the_task),
    "sqs:SendMessageBatch": ("sqs:SendMessage", _queue, _plain),
    "sqs:DeleteMessageBatch": ("sqs:DeleteMessage", _queue, _plain),
    "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility", _queue, _plain),
    **_same("events", "DescribeEventBus", lambda params: [arn("events", f"event-bus/{params['Name']}")]),
    **_same("events", "PutRule DescribeRule DeleteRule ListTargetsByRule RemoveTargets", _rule),
    **_same("events", "ListRules TestEventPattern", _nothing),
    **_same("events", "DescribeArchive UpdateArchive DeleteArchive", _archive),
    **_same("events", "CreateArchive", lambda params: [*_archive(params), params["EventSourceArn"]]),
    **_same("events", "DescribeReplay CancelReplay", _replay),
    **_same(
        "events",
        "StartReplay",
        lambda params: [params["EventSourceArn"], params["Destination"]["Arn"], *_replay(params)],
    ),
    "events:PutEvents": ("events:PutEvents", _buses, _sources),
    "events:PutTargets": ("events:PutTargets", _rule, _targets),
    **_same("sns", "CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes", _topic),
    **_same("sns", "ListSubscriptionsByTopic", _topic),
    **_same("sns", "GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe", _nothing),
    "sns:PublishBatch": ("sns:Publish", _topic, _plain),
    "sns:Subscribe": ("sns:Subscribe", _topic, _subscribing),
    **_same("s3", "PutObject GetObject DeleteObject AbortMultipartUpload", _object),
    "s3:UploadPart": ("s3:PutObject", _object, _plain),
    "s3:CreateMultipartUpload": ("s3:PutObject", _object, _plain),
    "s3:CompleteMultipartUpload": ("s3:PutObject", _object, _plain),
    "s3:HeadBucket": ("s3:ListBucket", _bucket, _plain),
    "s3:ListObjectsV2": ("s3:ListBucket", _bucket, _prefix),
    "s3:ListObjectVersions": ("s3:ListBucketVersions", _bucket, _prefix),
    **_same("kms", "DescribeKey GetKeyPolicy", _key),
    **_same("cloudwatch", "GetMetricData", _nothing),
    **_same("sts", "GetCallerIdentity", _nothing),
    "transcribe:StartTranscriptionJob": ("transcribe:StartTranscriptionJob", _nothing, _output_bucket),
    **_same("transcribe", "GetTranscriptionJob DeleteTranscriptionJob", _job),
    **_same("transcribe", "ListTranscriptionJobs", _nothing),
}
"""Each operation with its action, its resources and its condition keys (Service Authorization Reference)."""

TASKS = ("MessageMoveTask", "MessageMoveTasks")


def moving(params: Params) -> Iterator[tuple[str, str]]:
    """Return SQS's calls for a move task on its caller's behalf (SQS developer guide, API permissions)."""
    (source,) = _queue_of_the_task(params) if "TaskHandle" in params else [params["SourceArn"]]
    for name in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        yield f"sqs:{name}", source
    if "DestinationArn" in params:
        yield "sqs:SendMessage", params["DestinationArn"]


def transcribing(params: Params) -> Iterator[tuple[str, str]]:
    """Return Transcribe's calls for a job on its caller's behalf (Transcribe developer guide, IAM)."""
    (media,) = _media(params)
    yield "s3:GetObject", media
    yield "s3:PutObject", f"arn:aws:s3:::{params['OutputBucketName']}/{params['OutputKey']}"


ON_THE_KEY = {
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
}
"""Actions of SQS and SNS on the key of queue or topic for their callers (their developer guides, on keys)."""


def with_the_key(calls: Iterable[Call], key: str) -> set[Call]:
    """Add the calls of SQS and SNS on the key of queues and topic."""
    used = {
        (call.action.partition(":")[0], action)
        for call in calls
        for action in ON_THE_KEY.get(call.action, ())
    }
    return {*calls, *(Call(action, arn("kms", f"key/{key}"), _via(service)) for service, action in used)}


def _via(service: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("kms:ViaService", (f"{service}.{REGION}.amazonaws.com",)),)


FREE = {"sts:GetCallerIdentity"}
"""Operations that need no permission and cannot be denied."""
