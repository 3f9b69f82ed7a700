"""CloudEvents 1.0 in structured JSON: the envelope of events on every transport but EventBridge.

EventBridge and SQS have no binding for CloudEvents, so events there keep the bus's own envelope. The
attributes follow AWS's mapping of its events to CloudEvents (docs/transports.md).
"""

from collections.abc import Mapping

from pydantic_core import to_json

from domain.model.events.erased import TranscriptErased
from domain.model.events.schema_id import schema_id
from domain.model.events.sent import SentEvent

CONTENT_TYPE = "application/cloudevents+json"
SPEC_VERSION = "1.0"


def cloud_event(
    event: SentEvent, *, source: str, labels: tuple[str, ...] = (), traceparent: str | None = None
) -> bytes:
    """Serialize an event with its envelope, as the UTF-8 bytes that go on the wire.

    Args:
        event: becomes `data`.
        source: EVENT_SOURCE.
        labels: become the extension `labels`, separated by spaces.
        traceparent: W3C Trace Context, for the extension of that name; None for none.
    """
    optional = {"labels": " ".join(labels) or None, "traceparent": traceparent}
    attributes = {
        "specversion": SPEC_VERSION,
        "id": cloud_event_id(event),
        "source": source,
        "type": event.DETAIL_TYPE,
        "subject": str(event.interaction_id),
        "time": event.timestamp,
        "datacontenttype": "application/json",
        "dataschema": schema_id(type(event)),
        "partitionkey": str(event.tenant_id),
        **{name: value for name, value in optional.items() if value is not None},
    }
    return to_json({**attributes, "data": event})


def cloud_event_id(event: SentEvent) -> str:
    """Return the id, the same for ever: consumers recognise duplicates by it.

    One event tells how a recording ended, so its id is the interaction id. An erasure has an id of its own,
    or consumers would drop it as a duplicate.
    """
    suffix = ":erased" if isinstance(event, TranscriptErased) else ""
    return f"{event.interaction_id}{suffix}"


def is_cloud_event(document: Mapping[str, object]) -> bool:
    """Tell a CloudEvent from an envelope of the bus."""
    return document.get("specversion") == SPEC_VERSION


def as_bus_envelope(document: Mapping[str, object]) -> dict[str, object]:
    """Return the envelope of the bus that says what a CloudEvent says; a missing attribute stays missing."""
    names = {"source": "source", "type": "detail-type", "data": "detail", "time": "time", "id": "id"}
    envelope = {key: document[name] for name, key in names.items() if name in document}
    labels = document.get("labels", "")
    return {**envelope, "resources": labels.split() if isinstance(labels, str) else labels}
