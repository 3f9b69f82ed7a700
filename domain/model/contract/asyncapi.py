"""The contract as an AsyncAPI document."""

from domain.model.contract.compatibility import JsonSchema
from domain.model.contract.envelope_schema import about, envelope, newest_version
from domain.model.contract.examples import example_envelope
from domain.model.contract.json_schema import event_schemas
from domain.model.events.kinds import EventKind
from domain.model.route.route import (
    MAX_RECEIVES,
    RETENTION_SECONDS,
    VISIBILITY_SECONDS,
    RouteNames,
    Routes,
)

COMPONENTS = "#/components/schemas/"

_CHANNELS = {
    EventKind.COMPLETED: "transcripts",
    EventKind.FAILED: "failures",
    EventKind.ERASED: "erasures",
}
_OPERATIONS = {
    EventKind.COMPLETED: "sendTranscript",
    EventKind.FAILED: "sendFailure",
    EventKind.ERASED: "sendErasure",
}
_ENVELOPES = {
    EventKind.COMPLETED: "Envelope",
    EventKind.FAILED: "FailedEnvelope",
    EventKind.ERASED: "ErasedEnvelope",
}


def asyncapi_document(routes: Routes) -> JsonSchema:
    """Return the AsyncAPI 3.0 document of all queues: their channels and the messages that are sent."""
    envelopes = {_ENVELOPES[kind]: envelope(COMPONENTS, kind) for kind in EventKind}
    events = {
        name: schema for kind in EventKind for name, schema in event_schemas(COMPONENTS, kind.models).items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Batch transcription events",
            "version": newest_version(EventKind.COMPLETED),
            "description": about(EventKind.COMPLETED),
        },
        "defaultContentType": "application/json",
        "channels": {_CHANNELS[kind]: _channel(routes[kind]) for kind in EventKind},
        "operations": {_OPERATIONS[kind]: _operation(kind) for kind in EventKind},
        "components": {
            "messages": {kind.detail_type: _message(routes[kind]) for kind in EventKind},
            "schemas": {**envelopes, **events},
        },
    }


def _operation(kind: EventKind) -> dict[str, object]:
    channel = f"#/channels/{_CHANNELS[kind]}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{kind.detail_type}"}],
    }


def _message(names: RouteNames) -> dict[str, object]:
    detail_type = names.kind.detail_type
    return {
        "name": detail_type,
        "title": detail_type,
        "summary": about(names.kind),
        "contentType": "application/json",
        "payload": {"$ref": COMPONENTS + _ENVELOPES[names.kind]},
        "examples": [
            {"name": f"version {model.SCHEMA_VERSION}", "payload": example_envelope(model, names.source)}
            for model in names.kind.models
        ],
    }


def _channel(names: RouteNames) -> dict[str, object]:
    detail_type = names.kind.detail_type
    dead_letters = {"deadLetterQueue": {"name": names.dead_letter_queue}, "maxReceiveCount": MAX_RECEIVES}
    queue = {
        "name": names.queue,
        "fifoQueue": False,
        "visibilityTimeout": VISIBILITY_SECONDS,
        "messageRetentionPeriod": RETENTION_SECONDS,
        "redrivePolicy": dead_letters,
    }
    return {
        "address": names.queue,
        "description": "The SQS queue that an EventBridge rule fills.",
        "messages": {detail_type: {"$ref": f"#/components/messages/{detail_type}"}},
        "bindings": {"sqs": {"queue": queue, "bindingVersion": "0.2.0"}},
    }
