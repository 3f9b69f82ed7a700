"""Schema of the envelope that EventBridge writes around an event."""

from domain.model.contract.compatibility import JsonSchema
from domain.model.contract.examples import example_envelope
from domain.model.contract.json_schema import DIALECT, MODELS, component_name, event_schemas
from domain.model.events.event import DEFAULT_EVENT_SOURCE, TEST_EVENT_LABEL, BatchProcessingCompleted
from domain.model.route.route import RouteNames

DETAIL_TYPE = BatchProcessingCompleted.DETAIL_TYPE
NEWEST = f"{MODELS[-1].SCHEMA_VERSION}.0"
"""The version of documents that hold every version of the event."""

ABOUT = (
    "A recording was transcribed and cleaned. Delivery is at least once, in no promised order: recognise "
    "duplicates by detail.interaction_id, and tell the versions apart by detail.version."
)


def envelope_schema(names: RouteNames) -> JsonSchema:
    """Return the JSON Schema 2020-12 of a message in the queue: EventBridge's envelope around an event."""
    return {
        "$schema": DIALECT,
        "$id": "urn:batch-transcription:event:envelope",
        **envelope("#/$defs/"),
        "examples": [example_envelope(model, names.source) for model in MODELS],
        "$defs": event_schemas("#/$defs/"),
    }


def envelope(references: str) -> dict[str, object]:
    """Return the envelope's schema, which refers to the schemas of the events under `references`."""
    event = {
        "oneOf": [{"$ref": references + component_name(model)} for model in MODELS],
        "description": "The event, in the version that its own `version` names.",
    }
    return {
        "title": f"{DETAIL_TYPE} in its envelope",
        "description": f"The body of a message in the queue. {ABOUT}",
        "type": "object",
        "properties": {**_WRITTEN_AROUND, "detail": event, "replay-name": _REPLAY},
        "required": [*_WRITTEN_AROUND, "detail"],
    }


def _text(description: str, **more: str) -> JsonSchema:
    return {"type": "string", "minLength": 1, **more, "description": description}


def _constant(value: str, description: str) -> JsonSchema:
    return {"const": value, "type": "string", "description": description}


_WRITTEN_AROUND: dict[str, JsonSchema] = {
    "version": _constant("0", "Version of the envelope, not of the event."),
    "id": _text("The bus's own id. Another one each time the event is sent again."),
    "detail-type": _constant(DETAIL_TYPE, "The kind of event."),
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
