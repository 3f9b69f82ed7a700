"""JSON Schemas read from files, as far as they are any."""

import json
from pathlib import Path

from domain.model.contract.schema_places import JsonSchema
from domain.model.errors import ConfigurationError

MAX_SHOWN = 200
"""Characters of what is wrong that are shown; it quotes the file."""


def read_schema(path: Path) -> JsonSchema:
    """Read a JSON Schema of 2020-12.

    Raises:
        ConfigurationError: it cannot be read, is no JSON, or breaks the meta-schema; the text says where.
    """
    document = _read(path)
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} is no JSON Schema: it holds no JSON object.")
    if other := document.keys() & {"openapi", "asyncapi"}:
        raise ConfigurationError(f"{path} is no JSON Schema but {other.pop()}: compare the events' schemas.")
    if problem := _problem(path, document):
        raise ConfigurationError(f"{path} is no JSON Schema (2020-12): {problem}")
    return document


def _read(path: Path) -> object:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if not text.strip():
            raise ConfigurationError(f"{path} is empty.")
        document: object = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as JSON: {error}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{path} is nested too deeply to be read.") from error
    return document


def _problem(path: Path, document: JsonSchema) -> str:
    """Where and how it breaks the meta-schema first; empty where it does not."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    validator = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    try:
        error = best_match(validator.iter_errors(document))
    except RecursionError as too_deep:
        raise ConfigurationError(f"{path} is nested too deeply to be checked.") from too_deep
    if error is None:
        return ""
    message = str(error.message)
    return f"{error.json_path}: {message if len(message) <= MAX_SHOWN else message[:MAX_SHOWN] + '…'}"
