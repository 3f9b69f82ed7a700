"""The published documents of the contract, and the files they are committed as (docs/events)."""

import json
from collections.abc import Callable
from typing import NamedTuple

from domain.model.contract.asyncapi import asyncapi_document
from domain.model.contract.compatibility import JsonSchema
from domain.model.contract.envelope_schema import envelope_schema
from domain.model.contract.examples import example_envelope, example_event, example_object
from domain.model.contract.json_schema import MODELS, published_schema
from domain.model.contract.openapi import registry_document
from domain.model.events.event import CompletedEvent
from domain.model.route.route import RouteNames

_FILE = "batch-processing-completed"


class Document(NamedTuple):
    """One published document: its title, the file it is committed as, and the function that makes it."""

    summary: str
    file: str
    write: Callable[[RouteNames], JsonSchema]
    """Documents depend on the route's source and queue names only."""


def _writer(model: type[CompletedEvent]) -> Callable[[RouteNames], JsonSchema]:
    return lambda _names: published_schema(model)


DOCUMENTS: dict[str, Document] = {
    **{
        model.SCHEMA_VERSION: Document(
            f"JSON Schema of version {model.SCHEMA_VERSION}.",
            f"{_FILE}-{model.SCHEMA_VERSION}.schema.json",
            _writer(model),
        )
        for model in MODELS
    },
    "envelope": Document(
        "JSON Schema of a message's body, both versions inside.", "envelope.schema.json", envelope_schema
    ),
    "openapi": Document(
        "OpenAPI 3.0, as EventBridge's schema registry takes it.", "openapi.json", registry_document
    ),
    "asyncapi": Document("AsyncAPI 3.0 of the queue.", "asyncapi.json", asyncapi_document),
}


def contract_files(names: RouteNames) -> dict[str, str]:
    """Return every file of the published contract by its path, examples included."""
    files = {document.file: as_file(document.write(names)) for document in DOCUMENTS.values()}
    for model in MODELS:
        version = model.SCHEMA_VERSION
        files[f"examples/{_FILE}-{version}.json"] = as_file(json.loads(example_event(model).to_json()))
        files[f"examples/envelope-{version}.json"] = as_file(example_envelope(model, names.source))
    files["examples/transcripts-of-2.0.json"] = example_object()
    return files


def as_file(document: JsonSchema) -> str:
    """Format JSON for people."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
