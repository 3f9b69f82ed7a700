"""Check that each response of 200 is AWS's own: the one place through which every answer is read.

A captive portal and a proxy's maintenance page answer 200, too; botocore parses them to an empty answer, or
fails by accident.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from botocore.response import StreamingBody

from adapters.aws.errors import ForeignAnswerError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.model import OperationModel

FAILED = 300
"""Status from which on botocore reads an answer as an error."""

CBOR_MAP = 0b101
"""Major type of a map, in the first three bits (RFC 8949, section 3.1)."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "ChangeMessageVisibilityBatch": ("Successful", "Failed"),
    "CompleteMultipartUpload": ("ETag",),
    "CreateArchive": ("ArchiveArn",),
    "CreateMultipartUpload": ("UploadId",),
    "CreateQueue": ("QueueUrl",),
    "CreateTopic": ("TopicArn",),
    "DeleteMessageBatch": ("Successful", "Failed"),
    "DescribeArchive": ("EventSourceArn",),
    "DescribeEventBus": ("Arn",),
    "DescribeKey": ("KeyMetadata",),
    "DescribeReplay": ("State",),
    "DescribeRule": ("Arn",),
    "GetCallerIdentity": ("Account",),
    "GetKeyPolicy": ("Policy",),
    "GetMetricData": ("MetricDataResults",),
    "GetObject": ("ETag",),
    "GetQueueAttributes": ("Attributes",),
    "GetQueueUrl": ("QueueUrl",),
    "GetSubscriptionAttributes": ("Attributes",),
    "GetTopicAttributes": ("Attributes",),
    "GetTranscriptionJob": ("TranscriptionJob",),
    "ListObjectsV2": ("Name",),
    "ListRules": ("Rules",),
    "ListSubscriptionsByTopic": ("Subscriptions",),
    "ListTranscriptionJobs": ("TranscriptionJobSummaries",),
    "PublishBatch": ("Successful", "Failed"),
    "PutEvents": ("Entries",),
    "PutObject": ("ETag",),
    "PutRule": ("RuleArn",),
    "PutTargets": ("FailedEntryCount",),
    "RemoveTargets": ("FailedEntryCount",),
    "SendMessageBatch": ("Successful", "Failed"),
    "StartMessageMoveTask": ("TaskHandle",),
    "StartReplay": ("State",),
    "StartTranscriptionJob": ("TranscriptionJob",),
    "Subscribe": ("SubscriptionArn",),
    "UpdateArchive": ("State",),
}
"""Members of which AWS's answer always has one, by operation. The others may answer with nothing."""


def check_answers(client: "BaseClient") -> None:
    """Check every answer of the client; its calls raise `ForeignAnswerError` for another server's."""
    events = client.meta.events
    # botocore calls this pattern before its own for S3, which takes a page for an error of S3
    events.register("before-parse.*.*", _check_body, unique_id="check-body")
    events.register("after-call", _check_members, unique_id="check-members")


def _check_body(
    operation_model: "OperationModel", response_dict: dict[str, object], **_others: object
) -> None:
    """Check the body's form, before botocore's parser fails on another."""
    body = response_dict["body"]
    protocol = str(operation_model.service_model.resolved_protocol)
    if not isinstance(body, bytes) or (not body and protocol != "query"):
        return  # a stream, or nothing: `_check_members` decides
    if int(str(response_dict["status_code"])) >= FAILED:
        if _STARTS.get(protocol, body[:1]) != body.lstrip()[:1]:
            response_dict["body"] = b""  # botocore's parser fails on it; without one it takes the status
        return
    shape = operation_model.output_shape
    if body == b"null" and not (shape and shape.members):
        return  # of an emulator, for an operation that answers with nothing
    if not _FORMS[protocol](body, operation_model.name):
        raise _foreign(operation_model, _kind_of(body))


def _check_members(
    http_response: "AWSResponse", parsed: Mapping[str, object], model: "OperationModel", **_others: object
) -> None:
    """Check that the parsed answer holds what the operation always answers."""
    required = REQUIRED.get(model.name, ())
    if not required or http_response.status_code >= FAILED or any(name in parsed for name in required):
        return
    if isinstance(body := parsed.get("Body"), StreamingBody):
        body.close()
    found = "an answer" if body else _kind_of(http_response.content)
    raise _foreign(model, f"{found} without {' and '.join(required)}")


def _foreign(model: "OperationModel", found: str) -> ForeignAnswerError:
    return ForeignAnswerError(service=model.service_model.service_id, operation=model.name, found=found)


def _kind_of(body: bytes) -> str:
    """Describe a body without quoting it: it may repeat the request."""
    start = body.lstrip()[:1024].lower()
    if not start:
        return "an empty answer"
    if b"<html" in start or start.startswith(b"<!doctype"):
        return "an HTML page"
    if start.startswith(b"<"):
        return "XML"
    try:
        value = json.loads(body)
    except ValueError:
        return "text" if start.isascii() else "bytes"
    return _KINDS.get(type(value), "JSON")


_KINDS = {dict: "a JSON object", list: "a JSON list", type(None): "JSON's null", str: "a JSON text"}


def _is_json(body: bytes, _operation: str) -> bool:
    return body.lstrip()[:1] == b"{"


def _is_cbor(body: bytes, _operation: str) -> bool:
    return body[0] >> 5 == CBOR_MAP


def _is_named_xml(body: bytes, operation: str) -> bool:
    return f"<{operation}Response".encode() in body[:1024]


def _is_xml(body: bytes, _operation: str) -> bool:
    return body.lstrip()[:1] == b"<" and _kind_of(body) == "XML"


_STARTS = {"json": b"{", "rest-xml": b"<"}
"""First character of an error's body, by protocol, where botocore's parser needs it."""

_FORMS: Mapping[str, Callable[[bytes, str], bool]] = {
    "json": _is_json,
    "smithy-rpc-v2-cbor": _is_cbor,
    "query": _is_named_xml,
    "rest-xml": _is_xml,
}
