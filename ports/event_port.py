"""How events leave the service."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from domain.model.errors import EventPublishError
from domain.model.events.event import CompletedEvent, Publication

PublishOutcome = Publication | EventPublishError
"""What became of one of several events."""

MAX_BATCH = 10
"""Events that are worth handing over at once: EventBridge takes at most ten entries a call (PutEvents)."""


class EventPort(Protocol):
    """A transport for events.

    Delivery is at least once, in no promised order. An event arrives as it was handed in, whole. Safe to call
    from several threads.
    """

    @abstractmethod
    def publish_all(
        self, events: Sequence[CompletedEvent], /, *, labels: tuple[str, ...] = ()
    ) -> tuple[PublishOutcome, ...]:
        """Hand over several events; returns once the transport has answered for each of them.

        Each has a fate of its own: one that fails takes no other with it. Raises nothing for what the
        transport does.

        Args:
            events: valid events; they are not changed.
            labels: travel beside each event, where consumers can see them without opening it.

        Returns:
            One outcome for each event, in their order: what `publish` would return or raise for it.
        """
        ...

    def publish(self, event: CompletedEvent, /, *, labels: tuple[str, ...] = ()) -> Publication:
        """Hand over one event; returns once the transport has accepted it.

        Args:
            event: a valid event; it is not changed.
            labels: as above.

        Returns:
            `PUBLISHED` with the transport's receipt, `QUEUED` where the transport keeps the event until it
            can be sent, `DISABLED` where it keeps nothing.

        Raises:
            EventRejectedError: this event will never be accepted; do not send it again.
            EventBusUnavailableError: nothing is known to be accepted; it may be sent again.
        """
        (outcome,) = self.publish_all((event,), labels=labels)
        if isinstance(outcome, EventPublishError):
            raise outcome
        return outcome
