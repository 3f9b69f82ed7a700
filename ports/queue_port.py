"""How messages are taken from a queue, and put back."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.model.messages.message import NO_ATTRIBUTES, Attributes, DeliveryFailure

MAX_VISIBILITY_TIMEOUT = 12 * 3600
"""For how long a received message can be kept from others in all (SQS, ChangeMessageVisibility)."""


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message as one receive handed it out.

    Attributes:
        id: names the message; its copy gets another one.
        body: what was sent.
        receipt: what this receive may do with it: delete or release it.
        receive_count: how often it was received, this time included.
        attributes: what travels beside the body.
        sent_at: when it was sent to its first queue, where the queue says so; dead-lettering does not
            change it.
        delivery_failure: why the bus gave it up, where it never reached its queue.
    """

    id: str
    body: str
    receipt: str
    receive_count: int
    attributes: Attributes = NO_ATTRIBUTES
    sent_at: datetime | None = None
    delivery_failure: DeliveryFailure | None = None


class Copy(NamedTuple):
    """What became of the copy of one message: it has an id, or there is a problem and no copy."""

    original: QueueMessage
    id: str | None
    problem: str = ""


class QueueDepth(NamedTuple):
    """How many messages a queue holds, roughly."""

    waiting: int
    in_flight: int
    """Received by somebody and neither deleted nor visible again."""


class QueuePort(Protocol):
    """A queue that hides what was received, counts receives, and dead-letters what was received too often.

    Delivery is at least once, in no promised order. Safe to call from several threads. Every method raises
    `InfrastructureError` where the queue is missing, out of reach or closed to us, unless it says otherwise.
    """

    @abstractmethod
    def receive(
        self, limit: int, /, *, visibility_timeout: int, wait_seconds: int = 0
    ) -> tuple[QueueMessage, ...]:
        """Take up to `limit` (at most ten) messages; nobody else sees them for `visibility_timeout`.

        Waits up to `wait_seconds` for the first one. Each receive counts, and cannot be taken back.
        """
        ...

    @abstractmethod
    def delete(self, messages: Sequence[QueueMessage], /) -> None:
        """Remove what was received.

        Raises:
            DeletionError: after trying every one of them; says how many are still there.
        """
        ...

    @abstractmethod
    def release(self, messages: Sequence[QueueMessage], /) -> None:
        """Make what was received visible again at once.

        Never raises: what cannot be released becomes visible by itself when its time is up.
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
        """Send each message again, with everything that travels beside it; visible at once, never received.

        Never raises: the answer has an entry for each message, in their order. Only a copy that the queue
        confirmed, unchanged, has an id.
        """
        ...

    @abstractmethod
    def check_permissions(self) -> None:
        """Make sure that what is received may be put back: sent and deleted. Touches no message."""
        ...

    @abstractmethod
    def max_receive_count(self) -> int | None:
        """After how many receives a message is dead-lettered from here; None where that never happens."""
        ...

    @abstractmethod
    def depth(self) -> QueueDepth:
        """Count the messages."""
        ...
