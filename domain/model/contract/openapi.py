"""The contract for EventBridge's schema registry."""

from domain.model.contract.compatibility import JsonSchema
from domain.model.contract.envelope_schema import about, envelope, newest_version
from domain.model.contract.json_schema import event_schemas, rewritten
from domain.model.route.route import RouteNames

COMPONENTS = "#/components/schemas/"


def registry_document(names: RouteNames) -> JsonSchema:
    """OpenAPI 3.0 as EventBridge's schema registry takes it (type `OpenApi3`), for code bindings.

    The versions need no discriminator: the patterns of `version` exclude one another.
    """
    kind = names.kind
    event = {**envelope(COMPONENTS, kind), "x-amazon-events-detail-type": kind.detail_type}
    schemas = {
        "AWSEvent": {**event, "x-amazon-events-source": names.source},
        **event_schemas(COMPONENTS, kind.models),
    }
    return {
        "openapi": "3.0.0",
        "info": {"title": kind.detail_type, "version": newest_version(kind), "description": about(kind)},
        "paths": {},
        "components": {"schemas": {name: rewritten(schema, _as_openapi) for name, schema in schemas.items()}},
    }


def _as_openapi(schema: dict[str, object]) -> dict[str, object]:
    """OpenAPI 3.0 knows neither constants nor the type null, and one example only."""
    changed = {key: value for key, value in schema.items() if key not in ("const", "examples", "anyOf")}
    if "const" in schema:
        changed["enum"] = [schema["const"]]
    if isinstance(alternatives := schema.get("anyOf"), list):
        changed |= _nullable(alternatives)
    return changed


def _nullable(alternatives: list[JsonSchema]) -> dict[str, object]:
    others = [schema for schema in alternatives if schema != {"type": "null"}]
    only = others[0] if len(others) == 1 else {"anyOf": others}
    return {**only, "nullable": True} if len(others) < len(alternatives) else {"anyOf": others}
