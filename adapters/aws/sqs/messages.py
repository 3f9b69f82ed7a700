"""Conversion between SQS's messages and those of the domain."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from adapters.aws.trace_header import TRACEPARENT, is_traceparent, traceparent
from domain.model.messages.message import NO_ATTRIBUTES, Attribute, Attributes, DeliveryFailure
from domain.model.route.route import MAX_MESSAGE_BYTES
from ports.queue_port import Copy, QueueMessage

if TYPE_CHECKING:
    from types_boto3_sqs.literals import MessageSystemAttributeNameType
    from types_boto3_sqs.type_defs import (
        MessageAttributeValueOutputTypeDef,
        MessageAttributeValueTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
        SendMessageBatchResultTypeDef,
    )

MAX_BATCH = 10
"""Entries that one call accepts."""

SYSTEM_ATTRIBUTES: "Final[Sequence[MessageSystemAttributeNameType]]" = (
    "ApproximateReceiveCount",
    "SentTimestamp",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
)
"""System attributes of a message that are used here."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_message(found: "MessageTypeDef") -> QueueMessage:
    """Convert a received message, with all data that a copy needs."""
    system = found.get("Attributes", {})
    attributes = _read_attributes(found)
    sent = system.get("SentTimestamp")
    return QueueMessage(
        id=found["MessageId"],
        body=found["Body"],
        receipt=found["ReceiptHandle"],
        receive_count=int(system["ApproximateReceiveCount"]),
        attributes=attributes,
        sent_at=EPOCH + timedelta(milliseconds=int(sent)) if sent else None,
        delivery_failure=None
        if "DeadLetterQueueSourceArn" in system
        else _delivery_failure(attributes.named),
        traceparent=traceparent(attributes.trace) or _sent_traceparent(attributes.named),
    )


def _sent_traceparent(named: Mapping[str, Attribute]) -> str | None:
    """Read the trace context that our publisher on SNS sends as an attribute."""
    sent = _text(named, TRACEPARENT)
    return sent if is_traceparent(sent) else None


def _read_attributes(found: "MessageTypeDef") -> Attributes:
    trace, named = found.get("Attributes", {}).get("AWSTraceHeader"), found.get("MessageAttributes")
    if not named and not trace:
        return NO_ATTRIBUTES
    return Attributes(
        named={name: _read_attribute(value) for name, value in (named or {}).items()},
        trace=trace,
        digest=found.get("MD5OfMessageAttributes"),
    )


def _read_attribute(value: "MessageAttributeValueOutputTypeDef") -> Attribute:
    return Attribute(type=value["DataType"], text=value.get("StringValue"), binary=value.get("BinaryValue"))


def _delivery_failure(named: Mapping[str, Attribute]) -> DeliveryFailure | None:
    """Read the attributes that EventBridge or SNS adds to an event it could not deliver to the queue.

    A redriven message keeps them. Where it is dead-lettered again, SQS names the queue it came from, and they
    are no longer the reason.
    """
    if "ErrorCode" in named and "RequestID" in named:
        return DeliveryFailure(code=_text(named, "ErrorCode"), message=_text(named, "ErrorMessage"))
    if "ERROR_CODE" not in named or "RULE_ARN" not in named:
        return None
    attempts = _text(named, "RETRY_ATTEMPTS")
    return DeliveryFailure(
        code=_text(named, "ERROR_CODE"),
        message=_text(named, "ERROR_MESSAGE"),
        attempts=int(attempts) if re.fullmatch("[0-9]{1,9}", attempts) else None,
        exhausted=_text(named, "EXHAUSTED_RETRY_CONDITION"),
    )


def _text(named: Mapping[str, Attribute], name: str) -> str:
    attribute = named.get(name)
    return (attribute.text if attribute else None) or ""


def entry_for(entry_id: str, message: QueueMessage) -> "SendMessageBatchRequestEntryTypeDef":
    """Build the entry of a copy, with a delay of 0: it is visible at once even in a delay queue."""
    attributes = message.attributes
    entry: SendMessageBatchRequestEntryTypeDef = {
        "Id": entry_id,
        "MessageBody": message.body,
        "DelaySeconds": 0,
    }
    if attributes.named:
        entry["MessageAttributes"] = {name: _sent(value) for name, value in attributes.named.items()}
    if attributes.trace:
        entry["MessageSystemAttributes"] = {
            "AWSTraceHeader": {"DataType": "String", "StringValue": attributes.trace}
        }
    return entry


def _sent(value: Attribute) -> "MessageAttributeValueTypeDef":
    if value.binary is not None:
        return {"DataType": value.type, "BinaryValue": value.binary}
    return {"DataType": value.type, "StringValue": value.text or ""}


def read_copies(batch: Sequence[QueueMessage], answer: "SendMessageBatchResultTypeDef") -> list[Copy]:
    """Read which copies arrived unchanged; an entry missing from the response did not arrive."""
    sent = {entry["Id"]: entry for entry in answer.get("Successful", ())}
    refused = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", ())}
    copies = []
    for i, message in enumerate(batch):
        entry = sent.get(str(i))
        if entry is None:
            copies.append(Copy(message, None, refused.get(str(i), "SQS did not report a result")))
        elif not _same_digests(message, entry["MD5OfMessageBody"], entry.get("MD5OfMessageAttributes")):
            copies.append(Copy(message, None, "the copy arrived changed"))
        else:
            copies.append(Copy(message, entry["MessageId"]))
    return copies


def _same_digests(message: QueueMessage, body_md5: str, attributes_md5: str | None) -> bool:
    body = hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest()
    return (body, message.attributes.digest) == (body_md5, attributes_md5)


def batches(messages: Sequence[QueueMessage]) -> Iterator[Sequence[QueueMessage]]:
    """Split messages into batches of ten."""
    for start in range(0, len(messages), MAX_BATCH):
        yield messages[start : start + MAX_BATCH]


def batches_by_size(messages: Sequence[QueueMessage]) -> Iterator[list[QueueMessage]]:
    """Split messages into batches that fit the size limit, which SQS applies to a call as a whole."""
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
    """Count bytes as SQS does: body, and name, type and value of each attribute."""
    size = len(message.body.encode())
    for name, value in message.attributes.named.items():
        content = value.binary if value.binary is not None else (value.text or "").encode()
        size += len(name.encode()) + len(value.type.encode()) + len(content)
    return size
