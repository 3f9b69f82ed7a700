"""Port of a message queue: receive, delete, release and hide messages."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.model.messages.message import NO_ATTRIBUTES, Attributes, DeliveryFailure

MAX_RECEIVE = 10
"""The most messages that one receive returns (SQS, ReceiveMessage)."""

MAX_VISIBILITY_TIMEOUT = 12 * 3600
"""The most seconds that a message can stay hidden after a receive (SQS, ChangeMessageVisibility)."""


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """Message as returned by one receive.

    Attributes:
        id: message id; a copy gets another one.
        body: the text that was sent.
        receipt: handle of this receive, for deleting, releasing or hiding the message.
        receive_count: number of receives, this one included.
        attributes: message attributes beside the body.
        sent_at: when it was sent to its first queue; dead-lettering does not change it. None if the queue
            does not tell.
        delivery_failure: reason of the bus for giving it up; None if it reached its queue.
        traceparent: W3C Trace Context in which its event was created; None if the message has none.
    """

    id: str
    body: str
    receipt: str
    receive_count: int
    attributes: Attributes = NO_ATTRIBUTES
    sent_at: datetime | None = None
    delivery_failure: DeliveryFailure | None = None
    traceparent: str | None = None


class Copy(NamedTuple):
    """Copy of one message: either with an id, or with the problem that prevented it."""

    original: QueueMessage
    id: str | None
    problem: str = ""


class QueueDepth(NamedTuple):
    """Approximate number of messages in a queue."""

    waiting: int
    in_flight: int
    """Received, and neither deleted nor visible again."""


class QueuePort(Protocol):
    """Queue that hides received messages, counts receives, and dead-letters messages received too often.

    Delivery is at least once, in no guaranteed order. Safe to call from several threads. Every method raises
    `InfrastructureError` if the queue is missing, unreachable or access is denied, unless it says otherwise.
    """

    @abstractmethod
    def receive(
        self, limit: int, /, *, visibility_timeout: int, wait_seconds: int = 0
    ) -> tuple[QueueMessage, ...]:
        """Receive up to `limit` (at most ten) messages and hide them for `visibility_timeout` seconds.

        Waits up to `wait_seconds` for the first one. Each receive counts and cannot be undone.
        """
        ...

    @abstractmethod
    def delete(self, messages: Sequence[QueueMessage], /) -> None:
        """Delete received messages.

        Raises:
            DeletionError: some messages were not deleted; every one was tried.
        """
        ...

    @abstractmethod
    def release(self, messages: Sequence[QueueMessage], /) -> None:
        """Make received messages visible at once.

        Never raises: a message that cannot be released becomes visible after its visibility timeout.
        """
        ...

    @abstractmethod
    def change_visibility(
        self, messages: Sequence[QueueMessage], /, *, visibility_timeout: int
    ) -> tuple[QueueMessage, ...]:
        """Hide received messages from other consumers for `visibility_timeout` seconds from now.

        0 makes them visible at once. No message stays hidden for more than `MAX_VISIBILITY_TIMEOUT` seconds
        after it was received.

        Returns:
            The messages that the queue refused: visible again, received by another consumer, or deleted.
        """
        ...

    @abstractmethod
    def resend(self, messages: Sequence[QueueMessage], /) -> tuple[Copy, ...]:
        """Send a copy of each message with its attributes; copies are visible at once and count no receive.

        Never raises: the result has an entry for each message, in their order. Only a copy that the queue
        confirmed, unchanged, has an id.
        """
        ...

    @abstractmethod
    def check_permissions(self) -> None:
        """Check the permissions to send and delete messages, without touching any."""
        ...

    @abstractmethod
    def max_receive_count(self) -> int | None:
        """Return the receives after which a message is dead-lettered; None if the queue never does."""
        ...

    @abstractmethod
    def depth(self) -> QueueDepth:
        """Return the approximate number of messages."""
        ...
