"""The contract as an AsyncAPI document."""

from domain.model.contract.compatibility import JsonSchema
from domain.model.contract.envelope_schema import ABOUT, DETAIL_TYPE, NEWEST, envelope
from domain.model.contract.examples import example_envelope
from domain.model.contract.json_schema import MODELS, event_schemas
from domain.model.route.route import MAX_RECEIVES, RETENTION_SECONDS, VISIBILITY_SECONDS, RouteNames

COMPONENTS = "#/components/schemas/"


def asyncapi_document(names: RouteNames) -> JsonSchema:
    """Return the AsyncAPI 3.0 document of the queue: its channel and the message that the service sends."""
    operation = {
        "action": "send",
        "channel": {"$ref": "#/channels/transcripts"},
        "messages": [{"$ref": f"#/channels/transcripts/messages/{DETAIL_TYPE}"}],
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Batch transcription events", "version": NEWEST, "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {"transcripts": _channel(names)},
        "operations": {"sendTranscript": operation},
        "components": {
            "messages": {DETAIL_TYPE: _message(names)},
            "schemas": {"Envelope": envelope(COMPONENTS), **event_schemas(COMPONENTS)},
        },
    }


def _message(names: RouteNames) -> dict[str, object]:
    return {
        "name": DETAIL_TYPE,
        "title": DETAIL_TYPE,
        "summary": ABOUT,
        "contentType": "application/json",
        "payload": {"$ref": f"{COMPONENTS}Envelope"},
        "examples": [
            {"name": f"version {model.SCHEMA_VERSION}", "payload": example_envelope(model, names.source)}
            for model in MODELS
        ],
    }


def _channel(names: RouteNames) -> dict[str, object]:
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
        "messages": {DETAIL_TYPE: {"$ref": f"#/components/messages/{DETAIL_TYPE}"}},
        "bindings": {"sqs": {"queue": queue, "bindingVersion": "0.2.0"}},
    }
