"""Publisher of events on Amazon SNS: messages, their attributes, and responses."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from adapters.aws.batches import BatchedPublisher
from adapters.aws.errors import error_for_entry, translate_publish_errors, unreadable_response
from adapters.aws.trace_header import TRACEPARENT, is_traceparent
from domain.model.events.cloud_event import cloud_event
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import PublishOutcome

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient
    from types_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

    from adapters.aws.sns.topic import TopicAddress

logger = logging.getLogger(__name__)

SNS = "SNS"

STRING = "String"
"""Type of the attributes; each has a value, because SNS refuses an empty one."""

DETAIL_TYPE, SOURCE, TENANT = "detail-type", "source", "tenant_id"
"""Message attributes for the filter policies of subscriptions."""


class SnsPublisher(BatchedPublisher["PublishBatchRequestEntryTypeDef"]):
    """Publishes events to a topic as CloudEvents, up to ten with a call.

    SNS accepts events for a topic without a subscription and drops them; `transcripts verify` detects that.
    """

    def __init__(
        self,
        client: "SNSClient",
        *,
        topic: "TopicAddress",
        source: str,
        max_bytes: int,  # limit of one message, and of all messages of a call together, as SNS counts
    ) -> None:
        super().__init__(max_bytes=max_bytes)
        self._client = client
        self._topic = topic
        self._source = source
        logger.info("events go to SNS", extra={"topic": topic.name})

    def entry(
        self, event: SentEvent, /, *, labels: tuple[str, ...], traceparent: str | None
    ) -> "PublishBatchRequestEntryTypeDef":
        """Wrap the event into a message; labels ride in the CloudEvent."""
        body = cloud_event(event, source=self._source, labels=labels, traceparent=traceparent)
        attributes = {
            DETAIL_TYPE: event.DETAIL_TYPE,
            SOURCE: self._source,
            TENANT: str(event.tenant_id),
        }
        if traceparent and is_traceparent(traceparent):
            attributes[TRACEPARENT] = traceparent
        return {"Id": "0", "Message": body.decode(), "MessageAttributes": _as_strings(attributes)}

    def size_of(self, entry: "PublishBatchRequestEntryTypeDef", /) -> int:
        """Count the bytes of the message and its attributes, whose names and types count, too."""
        return len(entry["Message"].encode()) + sum(
            len(name) + len(value["DataType"]) + len(value.get("StringValue", "").encode())
            for name, value in entry.get("MessageAttributes", {}).items()
        )

    def send(self, entries: "Sequence[PublishBatchRequestEntryTypeDef]", /) -> list[PublishOutcome]:
        """Publish the messages; the receipts are SNS's message ids."""
        numbered: list[PublishBatchRequestEntryTypeDef] = [
            {**entry, "Id": str(number)} for number, entry in enumerate(entries)
        ]
        with translate_publish_errors(SNS):
            response = self._client.publish_batch(
                TopicArn=self._topic.arn, PublishBatchRequestEntries=numbered
            )
        return _read_response(response, len(entries))


def _as_strings(attributes: Mapping[str, str]) -> "dict[str, MessageAttributeValueTypeDef]":
    return {name: {"DataType": STRING, "StringValue": value} for name, value in attributes.items()}


def _read_response(response: Mapping[str, object], count: int) -> list[PublishOutcome]:
    """Read the outcome of each entry from a response of 200; an entry that is missing was not accepted."""
    found = dict(_outcomes(response.get("Successful")))
    found |= dict(_outcomes(response.get("Failed")))  # a failure wins over an acceptance of the same entry
    return [found.get(str(number), unreadable_response(SNS)) for number in range(count)]


def _outcomes(results: object) -> Iterator[tuple[str, PublishOutcome]]:
    for result in results if isinstance(results, list) else ():
        match result:
            case {"Id": str(name), "Code": str(code), **details}:
                yield name, error_for_entry(code, str(details.get("Message", "")), SNS)
            case {"Id": str(name), "MessageId": str(message_id)} if message_id:
                yield name, Publication(PublicationStatus.PUBLISHED, message_id)
