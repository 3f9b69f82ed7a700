"""The published documents of the contract, and the files they are committed as (docs/events)."""

import json
from collections.abc import Callable
from typing import NamedTuple

from domain.model.contract.asyncapi import asyncapi_document
from domain.model.contract.compatibility import JsonSchema
from domain.model.contract.envelope_schema import envelope_schema
from domain.model.contract.examples import example_envelope, example_event, example_object
from domain.model.contract.json_schema import published_schema
from domain.model.contract.openapi import registry_document
from domain.model.events.kinds import EventKind
from domain.model.events.schema_id import hyphenated
from domain.model.events.sent import SentEvent
from domain.model.route.route import Routes


class Document(NamedTuple):
    """One published document: its title, the file it is committed as, and the function that makes it."""

    summary: str
    file: str
    write: Callable[[Routes], JsonSchema]
    """Documents depend on the source and the queue names of the routes only."""


def _of_version(model: type[SentEvent]) -> Document:
    return Document(
        f"JSON Schema of {model.DETAIL_TYPE} {model.SCHEMA_VERSION}.",
        f"{hyphenated(model.DETAIL_TYPE)}-{model.SCHEMA_VERSION}.schema.json",
        lambda _routes: published_schema(model),
    )


def _envelope(kind: EventKind) -> Document:
    return Document(
        f"JSON Schema of a message's body, of {kind} events.",
        f"{kind.prefix}envelope.schema.json",
        lambda routes: envelope_schema(routes[kind]),
    )


def _registry(kind: EventKind) -> Document:
    return Document(
        f"OpenAPI 3.0 of {kind} events, for EventBridge's registry.",
        f"{kind.prefix}openapi.json",
        lambda routes: registry_document(routes[kind]),
    )


def _documents_of(kind: EventKind) -> dict[str, Document]:
    prefix = kind.prefix
    return {
        **{f"{prefix}{model.SCHEMA_VERSION}": _of_version(model) for model in kind.models},
        f"{prefix}envelope": _envelope(kind),
        f"{prefix}openapi": _registry(kind),
    }


DOCUMENTS: dict[str, Document] = {
    **{name: document for kind in EventKind for name, document in _documents_of(kind).items()},
    "asyncapi": Document("AsyncAPI 3.0 of the queues.", "asyncapi.json", asyncapi_document),
}


def contract_files(routes: Routes) -> dict[str, str]:
    """Return every file of the published contract by its path, examples included."""
    files = {document.file: as_file(document.write(routes)) for document in DOCUMENTS.values()}
    for kind in EventKind:
        for model in kind.models:
            name, version = hyphenated(model.DETAIL_TYPE), model.SCHEMA_VERSION
            envelope = example_envelope(model, routes[kind].source)
            files[f"examples/{name}-{version}.json"] = as_file(json.loads(example_event(model).to_json()))
            files[f"examples/{kind.prefix}envelope-{version}.json"] = as_file(envelope)
    files["examples/transcripts-of-2.0.json"] = example_object()
    return files


def as_file(document: JsonSchema) -> str:
    """Format JSON for people."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
