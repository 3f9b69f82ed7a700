"""How events leave the service."""

from abc import abstractmethod
from typing import Protocol

from domain.model.events import BatchProcessingCompleted, Publication


class EventPort(Protocol):
    """A transport for events.

    Delivery is at least once, in no promised order. An event arrives as it was handed in, whole. Safe to call
    from several threads.
    """

    @abstractmethod
    def publish(self, event: BatchProcessingCompleted, /, *, labels: tuple[str, ...] = ()) -> Publication:
        """Hand over one event; returns once the transport has accepted it.

        Args:
            event: a valid event; it is not changed.
            labels: travel beside the event, where consumers can see them without opening it.

        Returns:
            `PUBLISHED` with the transport's receipt, or `DISABLED` where the transport keeps nothing.

        Raises:
            EventRejectedError: this event will never be accepted; do not send it again.
            EventBusUnavailableError: nothing is known to be accepted; it may be sent again.
        """
        ...
