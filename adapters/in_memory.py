"""Events kept in this process: for tests and for running without a bus."""

from threading import Lock
from uuid import uuid4

from domain.model.events import BatchProcessingCompleted, Publication, PublicationStatus
from ports.event_port import EventPort


class InMemoryEventPublisher(EventPort):
    """Keeps events as the JSON that a bus would carry, so that what cannot be serialised fails here too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sent: list[tuple[str, tuple[str, ...]]] = []

    def publish(self, event: BatchProcessingCompleted, /, *, labels: tuple[str, ...] = ()) -> Publication:
        """Keep the event until the process ends."""
        with self._lock:
            self._sent.append((event.to_json(), labels))
        return Publication(PublicationStatus.PUBLISHED, str(uuid4()))

    @property
    def published(self) -> tuple[BatchProcessingCompleted, ...]:
        """Every event so far, read back from its JSON, in the order of acceptance."""
        with self._lock:
            return tuple(BatchProcessingCompleted.model_validate_json(detail) for detail, _ in self._sent)

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """The labels of each event, in the same order."""
        with self._lock:
            return tuple(labels for _, labels in self._sent)
