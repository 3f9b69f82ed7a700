"""Event publisher that stores events in this process."""

from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple
from uuid import UUID, uuid4

from domain.model.errors import InteractionIdTakenError
from domain.model.events.event import (
    BatchProcessingCompleted,
    Publication,
    PublicationStatus,
)
from domain.model.events.sent import SentEvent, sent_event
from ports.event_port import EventPort, PublishOutcome, Traceparents, contexts_for


class _Sent(NamedTuple):
    """One event, as a bus would carry it."""

    detail: str  # JSON
    labels: tuple[str, ...]
    traceparent: str | None


class InMemoryEventPublisher(EventPort):
    """Stores events as the JSON that a bus would carry, so that an event that cannot be serialised fails."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sent: list[_Sent] = []
        self._ids: dict[UUID, str] = {}

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Store the events until the process ends; another event with a known interaction id is refused."""
        contexts = contexts_for(events, traceparents)
        sent = [
            _Sent(event.to_json(), labels, context) for event, context in zip(events, contexts, strict=True)
        ]
        with self._lock:
            return tuple(
                self._publish(event.interaction_id, each) for event, each in zip(events, sent, strict=True)
            )

    def _publish(self, interaction_id: UUID, sent: "_Sent") -> PublishOutcome:
        if self._ids.setdefault(interaction_id, sent.detail) != sent.detail:
            return InteractionIdTakenError(interaction_id)
        self._sent.append(sent)
        return Publication(PublicationStatus.PUBLISHED, str(uuid4()))

    @property
    def accepted(self) -> tuple[SentEvent, ...]:
        """All events, read back from their JSON, in the order of publication."""
        with self._lock:
            return tuple(sent_event(sent.detail) for sent in self._sent)

    @property
    def published(self) -> tuple[BatchProcessingCompleted, ...]:
        """The events of schema 1.0."""
        return tuple(event for event in self.accepted if isinstance(event, BatchProcessingCompleted))

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """The labels of each event, in the same order."""
        with self._lock:
            return tuple(sent.labels for sent in self._sent)

    @property
    def traceparents(self) -> Traceparents:
        """The trace context of each event, in the same order."""
        with self._lock:
            return tuple(sent.traceparent for sent in self._sent)
