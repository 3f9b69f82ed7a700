"""Messages as SQS hands them out, and as it takes their copies."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from domain.model.infrastructure import MAX_MESSAGE_BYTES
from ports.queue_port import Copy, QueueMessage

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import (
        MessageAttributeValueOutputTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
        SendMessageBatchResultTypeDef,
    )

MAX_BATCH = 10
"""Entries that one call takes."""


@dataclass(frozen=True, slots=True)
class _Attributes:
    """What travels beside a body, and SQS's own digest of it."""

    user: "dict[str, MessageAttributeValueOutputTypeDef]"
    trace_header: str | None
    md5: str | None


def read_message(found: "MessageTypeDef") -> QueueMessage:
    """What was received, with everything that its copy needs."""
    system = found.get("Attributes", {})
    attributes = _Attributes(
        user=dict(found.get("MessageAttributes", {})),
        trace_header=system.get("AWSTraceHeader"),
        md5=found.get("MD5OfMessageAttributes"),
    )
    return QueueMessage(
        id=found["MessageId"],
        body=found["Body"],
        receipt=found["ReceiptHandle"],
        receive_count=int(system["ApproximateReceiveCount"]),
        attributes=attributes,
    )


def _attributes(message: QueueMessage) -> _Attributes:
    return cast("_Attributes", message.attributes)


def entry_for(entry_id: str, message: QueueMessage) -> "SendMessageBatchRequestEntryTypeDef":
    """A delay of 0 even where the queue delays what it gets: the copy is visible at once."""
    attributes = _attributes(message)
    entry: SendMessageBatchRequestEntryTypeDef = {
        "Id": entry_id,
        "MessageBody": message.body,
        "DelaySeconds": 0,
    }
    if attributes.user:
        entry["MessageAttributes"] = attributes.user
    if attributes.trace_header:
        entry["MessageSystemAttributes"] = {
            "AWSTraceHeader": {"DataType": "String", "StringValue": attributes.trace_header}
        }
    return entry


def read_copies(batch: Sequence[QueueMessage], answer: "SendMessageBatchResultTypeDef") -> list[Copy]:
    """Which entries arrived, and unchanged; what the answer does not mention did not."""
    sent = {entry["Id"]: entry for entry in answer.get("Successful", ())}
    refused = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", ())}
    copies = []
    for i, message in enumerate(batch):
        entry = sent.get(str(i))
        if entry is None:
            copies.append(Copy(message, None, refused.get(str(i), "SQS did not say what became of it")))
        elif not _same_digests(message, entry["MD5OfMessageBody"], entry.get("MD5OfMessageAttributes")):
            copies.append(Copy(message, None, "the copy arrived changed"))
        else:
            copies.append(Copy(message, entry["MessageId"]))
    return copies


def _same_digests(message: QueueMessage, body_md5: str, attributes_md5: str | None) -> bool:
    body = hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest()
    return (body, _attributes(message).md5) == (body_md5, attributes_md5)


def batches(messages: Sequence[QueueMessage]) -> Iterator[Sequence[QueueMessage]]:
    """Ten at a time."""
    for start in range(0, len(messages), MAX_BATCH):
        yield messages[start : start + MAX_BATCH]


def batches_by_size(messages: Sequence[QueueMessage]) -> Iterator[list[QueueMessage]]:
    """SQS counts a call as a whole: ten messages that were sent one by one may not fit into one."""
    batch: list[QueueMessage] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == MAX_BATCH or size + _size(message) > MAX_MESSAGE_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += _size(message)
    if batch:
        yield batch


def _size(message: QueueMessage) -> int:
    """Bytes as SQS counts them: body, and name, type and value of each attribute."""
    size = len(message.body.encode())
    for name, value in _attributes(message).user.items():
        content = value.get("StringValue", "").encode() or value.get("BinaryValue", b"")
        size += len(name.encode()) + len(value["DataType"].encode()) + len(content)
    return size
