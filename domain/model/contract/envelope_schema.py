"""Schema of the envelope that EventBridge writes around an event."""

from domain.model.contract.compatibility import JsonSchema
from domain.model.contract.examples import example_envelope
from domain.model.contract.json_schema import DIALECT, component_name, event_schemas
from domain.model.events.event import DEFAULT_EVENT_SOURCE, TEST_EVENT_LABEL
from domain.model.events.kinds import EventKind
from domain.model.route.route import RouteNames

_ABOUT = {
    EventKind.COMPLETED: "A recording was transcribed and cleaned.",
    EventKind.FAILED: "A recording was accepted and could not be transcribed, or was cancelled.",
    EventKind.ERASED: "A transcript was erased: erase your copies, and drop its later events.",
}


def newest_version(kind: EventKind) -> str:
    """Return the version of documents that hold every version of the event."""
    return f"{kind.models[-1].SCHEMA_VERSION}.0"


def about(kind: EventKind) -> str:
    """Say in a few sentences what the event tells, and how to read it."""
    return (
        f"{_ABOUT[kind]} Delivery is at least once, in no promised order: recognise duplicates by "
        "detail.interaction_id, and tell the versions apart by detail.version."
    )


def envelope_schema(names: RouteNames) -> JsonSchema:
    """Return the JSON Schema 2020-12 of a message in the queue: EventBridge's envelope around an event."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:batch-transcription:event:{names.kind.prefix}envelope",
        **envelope("#/$defs/", names.kind),
        "examples": [example_envelope(model, names.source) for model in names.kind.models],
        "$defs": event_schemas("#/$defs/", names.kind.models),
    }


def envelope(references: str, kind: EventKind) -> dict[str, object]:
    """Return the envelope's schema, which refers to the schemas of the events under `references`."""
    event = {
        "oneOf": [{"$ref": references + component_name(model)} for model in kind.models],
        "description": "The event, in the version that its own `version` names.",
    }
    around = _written_around(kind)
    return {
        "title": f"{kind.detail_type} in its envelope",
        "description": f"The body of a message in the queue. {about(kind)}",
        "type": "object",
        "properties": {**around, "detail": event, "replay-name": _REPLAY},
        "required": [*around, "detail"],
    }


def _text(description: str, **more: str) -> JsonSchema:
    return {"type": "string", "minLength": 1, **more, "description": description}


def _constant(value: str, description: str) -> JsonSchema:
    return {"const": value, "type": "string", "description": description}


def _written_around(kind: EventKind) -> dict[str, JsonSchema]:
    return {
        "version": _constant("0", "Version of the envelope, not of the event."),
        "id": _text("The bus's own id. Another one each time the event is sent again."),
        "detail-type": _constant(kind.detail_type, "The kind of event."),
        "source": _text(f"Who speaks; {DEFAULT_EVENT_SOURCE} unless configured otherwise."),
        "account": _text("The AWS account of the bus.", pattern="^[0-9]{12}$"),
        "time": _text("When the event happened, to the second.", format="date-time"),
        "region": _text("The AWS region of the bus."),
        "resources": {
            "type": "array",
            "items": {"type": "string"},
            "description": f"Labels. An event with {TEST_EVENT_LABEL} only tests the route: skip it.",
        },
    }


_REPLAY = _text("Only there where an archive is replayed: the replay's name.")
