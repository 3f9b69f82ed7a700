"""OpenAPI description of what the framework cannot derive: problems, and headers of the answers."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from domain.model.errors import problem_name
from entrypoints.api.middleware import INTERACTION_HEADER
from entrypoints.api.problems import MEDIA_TYPE, PROBLEM_TYPE, PROBLEMS
from entrypoints.api.schemas import Problem

Described = dict[str, Any]
"""A part of an OpenAPI document."""

RETRY_STATUSES = {HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE}
"""Problems that pass by themselves have these statuses, and the header `Retry-After`."""

_PROBLEM: Described = {"$ref": "#/components/schemas/Problem"}
_INTERACTION: Described = {"$ref": "#/components/headers/InteractionId"}
_RETRY_AFTER: Described = {"$ref": "#/components/headers/RetryAfter"}

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
}


def describe(app: FastAPI) -> None:
    """Add the shared components, and the headers of every answer, to the document that the app generates."""
    generate = app.openapi
    app.openapi = lambda: _completed(generate())  # type: ignore[method-assign]  # as FastAPI's manual does


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
        "headers": {"Retry-After": _RETRY_AFTER} if status in RETRY_STATUSES else {},
        "content": {MEDIA_TYPE: {"schema": _PROBLEM, "examples": examples}},
    }


def _completed(document: Described) -> Described:
    components = document["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema()
    components["headers"] = _HEADERS
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                response.setdefault("headers", {})[INTERACTION_HEADER] = _INTERACTION
    return document
