"""Event port: publishes events."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from domain.model.errors import EventPublishError, EventTooLargeError
from domain.model.events.event import Publication
from domain.model.events.sent import SentEvent

PublishOutcome = Publication | EventPublishError
"""Outcome of one of several events."""

Traceparents = Sequence[str | None]
"""Trace contexts of several events."""


def contexts_for(events: Sequence[SentEvent], traceparents: Traceparents) -> Traceparents:
    """Return a trace context for each event; none has one where none is given."""
    return traceparents or (None,) * len(events)


def too_large(size: int, limit: int) -> EventTooLargeError:
    """Describe an event with more bytes than the transport takes."""
    return EventTooLargeError(f"the event has {size} bytes, and the limit is {limit}")


MAX_BATCH = 10
"""Batch of transports that know no other: EventBridge accepts at most ten entries in a call (PutEvents)."""


class EventPort(Protocol):
    """Transport of events.

    Delivery is at least once, in no promised order. An event arrives complete and unchanged. Safe to call
    from several threads.
    """

    @property
    def batch_size(self) -> int:
        """Largest number of events that one call sends at once; with more, it sends parts in sequence."""
        return MAX_BATCH

    @abstractmethod
    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Publish several events; returns once the transport has answered for each of them.

        Each event has its own outcome: a failed one affects no other. Raises no error of the transport.

        Args:
            events: valid events; they are not changed.
            labels: sent beside each event, readable by consumers without opening it.
            traceparents: W3C Trace Context of each event, in their order; empty for none. Sent beside the
                event where the transport has a place for it, and never a reason to refuse the event.

        Returns:
            One outcome for each event, in their order: the value that `publish` would return, or the error
            that it would raise. An error that the transport has caught keeps its stack trace.
        """
        ...

    def publish(self, event: SentEvent, /, *, labels: tuple[str, ...] = ()) -> Publication:
        """Publish one event; returns once the transport has accepted it.

        Args:
            event: a valid event; it is not changed.
            labels: as above.

        Returns:
            `PUBLISHED` with the transport's receipt, `QUEUED` if the transport stored the event and sends it
            later, `DISABLED` if it dropped the event.

        Raises:
            EventRejectedError: this event will never be accepted; do not send it again.
            EventBusUnavailableError: the event may not have been accepted; it may be sent again.
        """
        (outcome,) = self.publish_all((event,), labels=labels)
        if isinstance(outcome, EventPublishError):
            raise outcome
        return outcome
