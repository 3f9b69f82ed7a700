"""Event publisher that stores events in this process."""

from collections.abc import Sequence
from threading import Lock
from uuid import UUID, uuid4

from domain.model.errors import InteractionIdTakenError
from domain.model.events.event import (
    BatchProcessingCompleted,
    Publication,
    PublicationStatus,
)
from domain.model.events.failed import SentEvent, sent_event
from ports.event_port import EventPort, PublishOutcome


class InMemoryEventPublisher(EventPort):
    """Stores events as the JSON that a bus would carry, so that an event that cannot be serialised fails."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sent: list[tuple[str, tuple[str, ...]]] = []
        self._ids: dict[UUID, str] = {}

    def publish_all(
        self, events: Sequence[SentEvent], /, *, labels: tuple[str, ...] = ()
    ) -> tuple[PublishOutcome, ...]:
        """Store the events until the process ends; another event with a known interaction id is refused."""
        sent = [(event.interaction_id, event.to_json()) for event in events]
        with self._lock:
            return tuple(self._publish(interaction_id, json, labels) for interaction_id, json in sent)

    def _publish(self, interaction_id: UUID, json: str, labels: tuple[str, ...]) -> PublishOutcome:
        if self._ids.setdefault(interaction_id, json) != json:
            return InteractionIdTakenError(interaction_id)
        self._sent.append((json, labels))
        return Publication(PublicationStatus.PUBLISHED, str(uuid4()))

    @property
    def accepted(self) -> tuple[SentEvent, ...]:
        """All events, read back from their JSON, in the order of publication."""
        with self._lock:
            return tuple(sent_event(detail) for detail, _ in self._sent)

    @property
    def published(self) -> tuple[BatchProcessingCompleted, ...]:
        """The events of schema 1.0."""
        return tuple(event for event in self.accepted if isinstance(event, BatchProcessingCompleted))

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """The labels of each event, in the same order."""
        with self._lock:
            return tuple(labels for _, labels in self._sent)
