"""OpenAPI description of what the framework cannot derive: problems, and headers of the answers."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from bootstrap.choices import Authentication
from domain.model import errors
from domain.model.api_keys import KEY_HEADER
from domain.model.problem_names import problem_name
from entrypoints.api.access import SCHEME
from entrypoints.api.middleware import INTERACTION_HEADER
from entrypoints.api.problems import CHALLENGE_HEADER, MEDIA_TYPE, PROBLEM_TYPE, PROBLEMS
from entrypoints.api.schemas import Problem

Described = dict[str, Any]
"""A part of an OpenAPI document."""

ACCESS: tuple[type[Exception], ...] = (
    errors.InvalidIdentityError,
    errors.UnauthenticatedError,
    errors.AccessDeniedError,
    errors.InsufficientScopeError,
    errors.UnknownTenantError,
    errors.UntrustedPeerError,
    errors.AuthenticatorUnavailableError,
)
"""Problems of every route that has a caller."""

RETRY_STATUSES = {HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE}
"""Problems that pass by themselves have these statuses, and the header `Retry-After`."""

_PROBLEM: Described = {"$ref": "#/components/schemas/Problem"}
_INTERACTION: Described = {"$ref": "#/components/headers/InteractionId"}
_RETRY_AFTER: Described = {"$ref": "#/components/headers/RetryAfter"}
_CHALLENGE: Described = {"$ref": "#/components/headers/Challenge"}

_NEVER_SENT = ("HTTPValidationError", "ValidationError")
"""The framework's answer to a path or query that it cannot read; ours are problems."""

_HEADERS: Described = {
    "InteractionId": {
        "description": "Identifies the request in the service's log.",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
        "example": "7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de",
    },
    "RetryAfter": {
        "description": "Seconds after which the same request may succeed, or a job may have changed.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 7,
    },
    "Challenge": {
        "description": "How to authenticate, and what is wrong with the credentials (RFC 6750, section 3).",
        "schema": {"type": "string"},
        "example": 'Bearer realm="batch-transcription", error="invalid_token"',
    },
}

_KEY_SCHEME = "key"
_KEY: Described = {
    "type": "apiKey",
    "in": "header",
    "name": KEY_HEADER,
    "description": "A key, where a proxy takes Authorization for itself.",
}
_SCHEMES: dict[Authentication, tuple[str, ...]] = {
    Authentication.TOKEN: (SCHEME,),
    Authentication.KEY: (SCHEME, _KEY_SCHEME),
    Authentication.TOKEN_OR_KEY: (SCHEME, _KEY_SCHEME),
}
"""Security schemes of callers who prove themselves to the service."""


def describe(app: FastAPI, authentication: Authentication) -> None:
    """Add the shared components, and the headers of every answer, to the document that the app generates."""
    generate = app.openapi
    schemes = _SCHEMES.get(authentication, ())
    app.openapi = lambda: _secured(_completed(generate()), schemes)  # type: ignore[method-assign]  # as FastAPI's manual does


def problem_responses(*chosen: type[Exception]) -> dict[int | str, Described]:
    """Describe some problems of the table, by status."""
    by_status: defaultdict[HTTPStatus, Described] = defaultdict(dict)
    for error in chosen:
        status, title = PROBLEMS[error]
        by_status[status][problem_name(error)] = {"value": _example(error, status, title)}
    return {status.value: _response(status, examples) for status, examples in sorted(by_status.items())}


def _example(error: type[Exception], status: HTTPStatus, title: str) -> Described:
    detail = (error.__doc__ or title).partition("\n")[0]
    example = Problem(type=PROBLEM_TYPE + problem_name(error), title=title, status=status, detail=detail)
    return example.model_dump(mode="json")


def _response(status: HTTPStatus, examples: Described) -> Described:
    titles = (example["value"]["title"] for example in examples.values())
    return {
        "description": "; ".join(titles),
        "headers": _headers_of(status),
        "content": {MEDIA_TYPE: {"schema": _PROBLEM, "examples": examples}},
    }


def _headers_of(status: HTTPStatus) -> Described:
    if status in RETRY_STATUSES:
        return {"Retry-After": _RETRY_AFTER}
    is_of_credentials = status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return {CHALLENGE_HEADER: _CHALLENGE} if is_of_credentials else {}


def _completed(document: Described) -> Described:
    components = document["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema()
    for name in _NEVER_SENT:
        components["schemas"].pop(name, None)
    components["headers"] = _HEADERS
    for operations in document["paths"].values():
        for operation in operations.values():
            if _NEVER_SENT[0] in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
            for response in operation["responses"].values():
                response.setdefault("headers", {})[INTERACTION_HEADER] = _INTERACTION
    return document


def _secured(document: Described, schemes: tuple[str, ...]) -> Described:
    """Describe the credentials of each operation; without a scheme, the service asks for none."""
    components = document["components"]
    known = {**components.pop("securitySchemes", {}), _KEY_SCHEME: _KEY}
    if schemes:
        components["securitySchemes"] = {name: known[name] for name in schemes}
    for operations in document["paths"].values():
        for operation in operations.values():
            needed = operation.pop("security", None)
            if needed and schemes:
                operation["security"] = [{name: needed[0][SCHEME]} for name in schemes]
    return document
