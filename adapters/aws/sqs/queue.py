"""Queue on Amazon SQS."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws.errors import NETWORK_ERRORS, translate_infrastructure_errors
from adapters.aws.sqs.messages import (
    SYSTEM_ATTRIBUTES,
    batches,
    batches_by_size,
    entry_for,
    read_copies,
    read_message,
)
from domain.model.errors import DeletionError, InfrastructureError
from ports.queue_port import Copy, QueueDepth, QueueMessage, QueuePort

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

REFUSED_DATA_TYPE = "Refused"
"""Invalid data type: SQS rejects an entry with it after it has authorized the call."""

TRANSIENT_CODES = frozenset({"InternalError", "InternalFailure", "RequestThrottled", "ServiceUnavailable"})
"""Codes of failures that a later try may not repeat. LocalStack never reports `SenderFault`."""


class SqsQueue(QueuePort):
    """One standard queue; its URL is looked up at first use.

    A copy carries body, message attributes and X-Ray's trace header. It gets a new id and a new sending time:
    SQS cannot keep those.
    """

    def __init__(
        self,
        client: "SQSClient",
        *,
        name: str,
        # receives messages, for which its time-out must exceed the longest wait; by default `client`
        polling: "SQSClient | None" = None,
    ) -> None:
        self._client = client
        self._polling = polling or client
        self._name = name

    def receive(
        self, limit: int, /, *, visibility_timeout: int, wait_seconds: int = 0
    ) -> tuple[QueueMessage, ...]:
        """Receive up to `limit` messages."""
        with self._translated("receiving from"):
            answer = self._polling.receive_message(
                QueueUrl=self._address,
                MaxNumberOfMessages=limit,
                VisibilityTimeout=visibility_timeout,
                WaitTimeSeconds=wait_seconds,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=SYSTEM_ATTRIBUTES,
            )
        return tuple(read_message(found) for found in answer.get("Messages", ()))

    def delete(self, messages: Sequence[QueueMessage], /) -> None:
        """Delete the messages, ten with a call."""
        failed = [problem for batch in batches(messages) for problem in self._delete_batch(batch)]
        if failed:
            raise DeletionError(
                f"{len(failed)} of {len(messages)} messages of the queue {self._name} could not be deleted: "
                f"{failed[0]}",
                count=len(failed),
            )

    def release(self, messages: Sequence[QueueMessage], /) -> None:
        """Set their visibility timeout to 0, ten with a call; leave the rest if the network fails."""
        for batch in batches(messages):
            try:
                self._change_batch(batch, 0)
            except InfrastructureError as error:
                logger.warning(
                    "could not release messages, they reappear after the visibility timeout",
                    extra={"error": str(error)},
                )
                if isinstance(error.__context__, NETWORK_ERRORS):
                    return  # each of the other calls would wait for its time-out

    def change_visibility(
        self, messages: Sequence[QueueMessage], /, *, visibility_timeout: int
    ) -> tuple[QueueMessage, ...]:
        """Set their visibility timeout, ten with a call; do not return transient failures."""
        return tuple(
            refused
            for batch in batches(messages)
            for refused in self._change_batch(batch, visibility_timeout)
        )

    def resend(self, messages: Sequence[QueueMessage], /) -> tuple[Copy, ...]:
        """Send copies, at most ten and 1 MiB with a call, and compare the digests that SQS returns."""
        return tuple(copy for batch in batches_by_size(messages) for copy in self._send_batch(batch))

    def check_permissions(self) -> None:
        """Check `sqs:DeleteMessage` and `sqs:SendMessage` with entries that SQS always rejects.

        Access denied means that the permission is missing; a failed entry means that it is there.
        """
        with self._translated("checking that messages may be deleted from"):
            self._client.delete_message_batch(
                QueueUrl=self._address, Entries=[{"Id": "0", "ReceiptHandle": "none"}]
            )
        with self._translated("checking that messages may be sent to"):
            self._send_invalid_entry()

    def max_receive_count(self) -> int | None:
        """Read the queue's redrive policy."""
        with self._translated("reading the redrive policy of"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._address,
                AttributeNames=["QueueArn", "RedrivePolicy"],  # every queue has one of them
            )
        policy = answer["Attributes"].get("RedrivePolicy")
        return int(json.loads(policy)["maxReceiveCount"]) if policy else None

    def depth(self) -> QueueDepth:
        """Read SQS's approximate counts, which lag by up to a minute."""
        with self._translated("counting the messages of"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._address,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        counts = answer["Attributes"]
        return QueueDepth(
            waiting=int(counts["ApproximateNumberOfMessages"]),
            in_flight=int(counts["ApproximateNumberOfMessagesNotVisible"]),
        )

    @cached_property
    def _address(self) -> str:
        return self._client.get_queue_url(QueueName=self._name)["QueueUrl"]

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        with translate_infrastructure_errors(f"{doing} the queue {self._name}"):
            try:
                yield
            except self._client.exceptions.QueueDoesNotExist:
                raise InfrastructureError(
                    f"the queue {self._name} does not exist: run `transcripts provision`, with "
                    "--kinds failed or erased for theirs, or check QUEUE_NAME, DLQ_NAME (FAILED_ or "
                    "ERASED_ before them) and AWS_REGION"
                ) from None

    def _delete_batch(self, batch: Sequence[QueueMessage]) -> list[str]:
        try:
            with self._translated("deleting from"):
                answer = self._client.delete_message_batch(
                    QueueUrl=self._address,
                    Entries=[{"Id": str(i), "ReceiptHandle": m.receipt} for i, m in enumerate(batch)],
                )
        except InfrastructureError as error:
            return [str(error)] * len(batch)
        return [failure["Code"] for failure in answer.get("Failed", ())]

    def _change_batch(self, batch: Sequence[QueueMessage], seconds: int) -> list[QueueMessage]:
        with self._translated("changing the visibility of messages of"):
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self._address,
                Entries=[
                    {"Id": str(i), "ReceiptHandle": m.receipt, "VisibilityTimeout": seconds}
                    for i, m in enumerate(batch)
                ],
            )
        failed = answer.get("Failed", ())
        return [batch[int(entry["Id"])] for entry in failed if entry["Code"] not in TRANSIENT_CODES]

    def _send_batch(self, batch: Sequence[QueueMessage]) -> list[Copy]:
        try:
            with self._translated("sending to"):
                answer = self._client.send_message_batch(
                    QueueUrl=self._address, Entries=[entry_for(str(i), m) for i, m in enumerate(batch)]
                )
        except InfrastructureError as error:
            return [Copy(message, None, str(error)) for message in batch]
        return read_copies(batch, answer)

    def _send_invalid_entry(self) -> None:
        try:
            self._client.send_message_batch(
                QueueUrl=self._address,
                Entries=[
                    {
                        "Id": "0",
                        "MessageBody": "never accepted",
                        "MessageAttributes": {"a": {"DataType": REFUSED_DATA_TYPE, "StringValue": "a"}},
                    }
                ],
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidParameterValue":  # as moto reports it
                raise
