"""The kinds of events: each has a detail-type, a contract and a route of its own."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field, TypeAdapter

from domain.model.events.erased import TranscriptErased
from domain.model.events.event import (
    BatchProcessingCompleted,
    BatchProcessingCompletedV2,
    CompletedEvent,
    read_versions,
)
from domain.model.events.failed import BatchProcessingFailed
from domain.model.events.sent import SentEvent
from domain.model.events.version import SchemaVersion


class EventKind(StrEnum):
    """Kind of event, by what happened to the recording or its transcript."""

    COMPLETED = "completed"
    FAILED = "failed"
    ERASED = "erased"

    @property
    def models(self) -> tuple[type[SentEvent], ...]:
        """Models of the versions that are sent today, the oldest first."""
        return _MODELS[self]

    @property
    def detail_type(self) -> str:
        """The `detail-type` of the events on the bus."""
        return self.models[0].DETAIL_TYPE

    @property
    def versions(self) -> tuple[SchemaVersion, ...]:
        """Versions of these models."""
        return _VERSIONS[self]

    @property
    def prefix(self) -> str:
        """Prefix of names that would be the same for several kinds; none for completed events."""
        return "" if self is EventKind.COMPLETED else f"{self}-"


_MODELS: dict[EventKind, tuple[type[SentEvent], ...]] = {
    EventKind.COMPLETED: (BatchProcessingCompleted, BatchProcessingCompletedV2),
    EventKind.FAILED: (BatchProcessingFailed,),
    EventKind.ERASED: (TranscriptErased,),
}
_VERSIONS = {
    kind: tuple(SchemaVersion.parse(model.SCHEMA_VERSION) for model in models)
    for kind, models in _MODELS.items()
}
_READERS: Mapping[EventKind, TypeAdapter[SentEvent]] = {
    EventKind.COMPLETED: TypeAdapter(Annotated[CompletedEvent, Field(discriminator="version")]),
    EventKind.FAILED: TypeAdapter(BatchProcessingFailed),
    EventKind.ERASED: TypeAdapter(TranscriptErased),
}


def read_kind(text: str, kind: EventKind) -> SentEvent:
    """Parse an event of a kind in any version with a known major number, as `read_event` does.

    Raises:
        pydantic.ValidationError: the event breaks the schema of its version, or its version is unknown.
    """
    return read_versions(text, _READERS[kind], kind.versions)


def kind_of(detail_type: str) -> EventKind | None:
    """Return the kind with this detail-type; None for a type that is not sent."""
    return next((kind for kind in EventKind if kind.detail_type == detail_type), None)


def parse_kinds(text: str) -> tuple[EventKind, ...]:
    """Parse a list such as `completed,failed`; the kinds are returned once each, in their own order.

    Raises:
        ValueError: a word is no kind, or there is none; the message names the kinds.
    """
    words = [word.strip().lower() for word in text.split(",")]
    for word in words:
        if word not in set(EventKind):
            raise ValueError(f"{word!r} is not one of {', '.join(EventKind)}")
    return tuple(kind for kind in EventKind if kind in words)
