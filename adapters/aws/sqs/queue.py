"""A queue on Amazon SQS."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws.errors import translate_infrastructure_errors
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
"""No type of SQS: an entry with it is turned down by itself, after the call as a whole was let in."""

PASSING_CODES = frozenset({"InternalError", "InternalFailure", "RequestThrottled", "ServiceUnavailable"})
"""What fails with one of these may be hidden all the same, later. LocalStack says `SenderFault` of none."""


class SqsQueue(QueuePort):
    """One standard queue; its address is looked up at first use.

    A copy carries body, message attributes and X-Ray's trace header. It gets a new id and a new time of
    sending: SQS gives no way to keep those.
    """

    def __init__(self, client: "SQSClient", *, name: str) -> None:
        self._client = client
        self._name = name

    def receive(
        self, limit: int, /, *, visibility_timeout: int, wait_seconds: int = 0
    ) -> tuple[QueueMessage, ...]:
        """Take up to `limit` messages."""
        with self._translated("receiving from"):
            answer = self._client.receive_message(
                QueueUrl=self._address,
                MaxNumberOfMessages=limit,
                VisibilityTimeout=visibility_timeout,
                WaitTimeSeconds=wait_seconds,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=SYSTEM_ATTRIBUTES,
            )
        return tuple(read_message(found) for found in answer.get("Messages", ()))

    def delete(self, messages: Sequence[QueueMessage], /) -> None:
        """Remove them, ten a call."""
        failed = [problem for batch in batches(messages) for problem in self._delete_batch(batch)]
        if failed:
            raise DeletionError(
                f"{len(failed)} of {len(messages)} messages of the queue {self._name} could not be deleted: "
                f"{failed[0]}",
                count=len(failed),
            )

    def release(self, messages: Sequence[QueueMessage], /) -> None:
        """Set their visibility timeout to 0, ten a call."""
        for batch in batches(messages):
            try:
                self._change_batch(batch, 0)
            except InfrastructureError as error:
                logger.warning("messages stay hidden until their time is up", extra={"error": str(error)})

    def change_visibility(
        self, messages: Sequence[QueueMessage], /, *, visibility_timeout: int
    ) -> tuple[QueueMessage, ...]:
        """Set their visibility timeout anew, ten a call; what failed by SQS's own fault is not given back."""
        return tuple(
            refused
            for batch in batches(messages)
            for refused in self._change_batch(batch, visibility_timeout)
        )

    def resend(self, messages: Sequence[QueueMessage], /) -> tuple[Copy, ...]:
        """Send them again, at most ten and 1 MiB a call, and compare the digests of what arrived."""
        return tuple(copy for batch in batches_by_size(messages) for copy in self._send_batch(batch))

    def check_permissions(self) -> None:
        """Try to delete by a receipt, and to send an entry, that SQS turns down once it has let us in.

        Without the permission the whole call is refused; with it, the one entry is.
        """
        with self._translated("checking that messages may be deleted from"):
            self._client.delete_message_batch(
                QueueUrl=self._address, Entries=[{"Id": "0", "ReceiptHandle": "none"}]
            )
        with self._translated("checking that messages may be sent to"):
            self._send_what_is_turned_down()

    def max_receive_count(self) -> int | None:
        """What the queue's redrive policy says."""
        with self._translated("reading the redrive policy of"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._address, AttributeNames=["RedrivePolicy"]
            )
        policy = answer.get("Attributes", {}).get("RedrivePolicy")
        return int(json.loads(policy)["maxReceiveCount"]) if policy else None

    def depth(self) -> QueueDepth:
        """SQS's approximate counts; they lag by up to a minute."""
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
                    f"the queue {self._name} does not exist: run `transcripts provision`, "
                    "or check QUEUE_NAME, DLQ_NAME and AWS_REGION"
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
        with self._translated("hiding messages of"):
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self._address,
                Entries=[
                    {"Id": str(i), "ReceiptHandle": m.receipt, "VisibilityTimeout": seconds}
                    for i, m in enumerate(batch)
                ],
            )
        failed = answer.get("Failed", ())
        return [batch[int(entry["Id"])] for entry in failed if entry["Code"] not in PASSING_CODES]

    def _send_batch(self, batch: Sequence[QueueMessage]) -> list[Copy]:
        try:
            with self._translated("sending to"):
                answer = self._client.send_message_batch(
                    QueueUrl=self._address, Entries=[entry_for(str(i), m) for i, m in enumerate(batch)]
                )
        except InfrastructureError as error:
            return [Copy(message, None, str(error)) for message in batch]
        return read_copies(batch, answer)

    def _send_what_is_turned_down(self) -> None:
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
            if error.response["Error"]["Code"] != "InvalidParameterValue":  # how moto says it
                raise
