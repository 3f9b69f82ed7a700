"""EVENT_TRANSPORT=folder: each event becomes a file of FOLDER_TRANSPORT_PATH, durable once published."""

import os
from collections.abc import Sequence
from pathlib import Path

from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError, EventBusUnavailableError, EventTooLargeError
from domain.model.events.cloud_event import cloud_event, cloud_event_id
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import EventPort, PublishOutcome, Traceparents, contexts_for


class FolderPublisher(EventPort):
    """Writes files; the same event has the same file, so a duplicate changes nothing."""

    def __init__(self, folder: Path, *, source: str, max_bytes: int) -> None:
        self._folder, self._source, self._max_bytes = folder, source, max_bytes

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Write the events; the receipts are the names of the files."""
        contexts = contexts_for(events, traceparents)
        return tuple(
            self._outcome(event, labels, context) for event, context in zip(events, contexts, strict=True)
        )

    def _outcome(self, event: SentEvent, labels: tuple[str, ...], traceparent: str | None) -> PublishOutcome:
        body = cloud_event(event, source=self._source, labels=labels, traceparent=traceparent)
        if len(body) > self._max_bytes:
            return EventTooLargeError(f"the event has {len(body)} bytes, and the limit is {self._max_bytes}")
        name = f"{cloud_event_id(event).replace(':', '-')}.json"
        try:
            self._write(name, body)
        except OSError as error:
            return EventBusUnavailableError(f"{self._folder} takes no events: {error.strerror}")
        return Publication(PublicationStatus.PUBLISHED, name)

    def _write(self, name: str, body: bytes) -> None:
        part = self._folder / f".{name}.{os.urandom(4).hex()}"
        with part.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / name)


def publisher(settings: Settings, /, *, timeout_seconds: float) -> EventPort:  # noqa: ARG001 - a disk has no time-out
    """Build the publisher; the entry point of the package names this function."""
    path = os.environ.get("FOLDER_TRANSPORT_PATH")
    if path is None:
        raise ConfigurationError("EVENT_TRANSPORT=folder needs FOLDER_TRANSPORT_PATH, an existing folder")
    return FolderPublisher(Path(path), source=settings.event_source, max_bytes=settings.event_max_bytes)
