"""Metadata of a caller: a small JSON object that the answers about a job repeat."""

import json
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

MAX_METADATA_BYTES = 4096
"""Largest metadata, as compact JSON in UTF-8."""
MAX_METADATA_DEPTH = 32
"""Objects and lists inside each other; deeper ones are expensive to read for every client."""

Metadata = Mapping[str, JsonValue]
"""Object of the caller."""


def checked_metadata(value: JsonValue) -> Metadata:
    """Check a value that a caller sends; null counts as an empty object.

    Raises:
        ValueError: the value is no JSON object, or too large a one; the message completes a sentence.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - each fault of a value is one to its caller
    if not _is_shallow(value, MAX_METADATA_DEPTH):
        raise ValueError(f"it is nested deeper than {MAX_METADATA_DEPTH} levels")
    if (size := _size(value)) > MAX_METADATA_BYTES:
        raise ValueError(f"it has {size} bytes")
    return value


def _size(value: JsonValue) -> int:
    try:
        return len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
    except ValueError:  # infinite numbers, and halves of characters
        raise ValueError("it has a number or text that cannot be written as JSON") from None


def _is_shallow(value: JsonValue, levels: int) -> bool:
    match value:
        case dict():
            inner: Iterable[JsonValue] = value.values()
        case list():
            inner = value
        case _:
            return True
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in inner)
