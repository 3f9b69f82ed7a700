"""The contract as it is published: JSON Schemas for the readers of the events, made of the models.

They are open where the models are strict. A reader must survive the optional key that a minor version adds:
no schema closes its objects, and each takes every minor version of its major. The models hold the writer.
"""

import json
from collections.abc import Callable, Mapping

from domain.model.contract.compatibility import JsonSchema
from domain.model.contract.examples import example_event
from domain.model.events.schema_id import schema_id
from domain.model.events.sent import SentEvent
from domain.model.events.version import SchemaVersion

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_Rewriting = Callable[[dict[str, object]], dict[str, object]]

_MAPS = frozenset({"properties", "$defs"})
_LISTS = frozenset({"anyOf", "oneOf", "allOf"})
_FIRST = ("description", "type")
_WRITERS_OWN = frozenset({"title", "default", "additionalProperties"})


def published_schema(model: type[SentEvent]) -> JsonSchema:
    """JSON Schema 2020-12 of one version of the event, for those who read it."""
    schemas = event_schemas("#/$defs/", (model,))
    schema = schemas.pop(component_name(model))
    return {
        "$schema": DIALECT,
        "$id": schema_id(model),
        "title": f"{model.DETAIL_TYPE} {model.SCHEMA_VERSION}",
        **schema,
        "examples": [json.loads(example_event(model).to_json())],
        "$defs": schemas,
    }


def component_name(model: type[SentEvent]) -> str:
    """Return the name of a version among the schemas of a document: minor versions share their major's."""
    return f"{model.DETAIL_TYPE}V{SchemaVersion.parse(model.SCHEMA_VERSION).major}"


def event_schemas(references: str, models: tuple[type[SentEvent], ...]) -> dict[str, JsonSchema]:
    """The schemas of events and of their parts by name, which refer to each other under `references`."""
    events: dict[str, JsonSchema] = {}
    parts: dict[str, JsonSchema] = {}
    for model in models:
        schema = rewritten(model.model_json_schema(ref_template=references + "{model}"), _for_readers)
        parts |= _schemas_in(schema, "$defs")
        del schema["$defs"]
        events[component_name(model)] = _with_any_minor(schema, model.SCHEMA_VERSION)
    return events | parts


def rewritten(schema: JsonSchema, change: _Rewriting) -> dict[str, object]:
    """A schema with `change` applied to every schema in it, the innermost first."""
    return change({key: _rewritten_value(key, value, change) for key, value in schema.items()})


def _rewritten_value(keyword: str, value: object, change: _Rewriting) -> object:
    if keyword in _MAPS and isinstance(value, Mapping):
        return {name: rewritten(schema, change) for name, schema in value.items()}
    if keyword in _LISTS and isinstance(value, list):
        return [rewritten(schema, change) for schema in value]
    return rewritten(value, change) if keyword == "items" and isinstance(value, Mapping) else value


def _for_readers(schema: dict[str, object]) -> dict[str, object]:
    kept = {key: schema[key] for key in (*_FIRST, *schema) if key in schema and key not in _WRITERS_OWN}
    if isinstance(description := kept.get("description"), str):
        kept["description"] = " ".join(description.split("\n\n")[0].split())
    if "properties" in kept:
        kept["required"] = _always_there(kept)
    return kept


def _always_there(schema: JsonSchema) -> list[str]:
    """A key with a default is optional, unless the default is the only value there is."""
    required = schema.get("required")
    demanded = required if isinstance(required, list) else []
    keys = _schemas_in(schema, "properties").items()
    return [key for key, value in keys if key in demanded or "const" in value]


def _with_any_minor(schema: JsonSchema, version: str) -> JsonSchema:
    number = {
        "type": "string",
        "pattern": f"^{SchemaVersion.parse(version).major}[.](0|[1-9][0-9]*)$",
        "description": "major.minor of this event. A minor version adds optional keys and is read like those "
        "before it; another major version is another schema: refuse what you do not know.",
        "examples": [version],
    }
    return {**schema, "properties": {**_schemas_in(schema, "properties"), "version": number}}


def _schemas_in(schema: JsonSchema, keyword: str) -> dict[str, JsonSchema]:
    """The schemas to which a keyword gives names, as `properties` does; empty where it is missing."""
    value = schema.get(keyword)
    return dict(value) if isinstance(value, Mapping) else {}
