"""The kinds of events: each has a detail-type, a contract and a route of its own."""

from enum import StrEnum

from domain.model.events.event import BatchProcessingCompleted, BatchProcessingCompletedV2
from domain.model.events.failed import BatchProcessingFailed, SentEvent
from domain.model.events.version import SchemaVersion


class EventKind(StrEnum):
    """Kind of event, by the end that it tells of."""

    COMPLETED = "completed"
    FAILED = "failed"

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


_MODELS: dict[EventKind, tuple[type[SentEvent], ...]] = {
    EventKind.COMPLETED: (BatchProcessingCompleted, BatchProcessingCompletedV2),
    EventKind.FAILED: (BatchProcessingFailed,),
}
_VERSIONS = {
    kind: tuple(SchemaVersion.parse(model.SCHEMA_VERSION) for model in models)
    for kind, models in _MODELS.items()
}


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
