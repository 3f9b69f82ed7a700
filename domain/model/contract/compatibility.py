"""Compatibility of two JSON Schemas of an event: which version a change needs (requirement 1.10).

The rule is short, so that it can be kept in mind: a new optional key in an object that admits unknown keys is
minor, a change of words for people is a patch, and every other difference is major. A renamed definition is a
difference, too: a schema that means the same in other words needs no other words.
"""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from domain.model.events.version import Bump

JsonSchema = Mapping[str, object]

PROSE = frozenset({"title", "description", "examples", "$comment", "deprecated", "readOnly", "writeOnly"})
"""Keywords that speak to people and constrain no value."""
SCHEMAS_BY_NAME = frozenset({"properties", "$defs"})
ONE_SCHEMA = frozenset({"items", "additionalProperties"})
LISTS_OF_SCHEMAS = frozenset({"anyOf", "oneOf", "allOf"})
UNORDERED = frozenset({"required", "enum"})
VERSION = "/properties/version"
OWN_VERSION = frozenset({"/$id", *(f"{VERSION}/{each}" for each in ("const", "enum", "pattern", "default"))})
"""Places that name the version of the document itself, and differ with every version."""
MAX_SHOWN = 80
"""Characters of a value in a reason: values come from the documents."""


class Change(NamedTuple):
    """One difference between two versions of a schema.

    Attributes:
        path: JSON pointer (RFC 6901) into the new document, or into the old one for what is gone.
        bump: the version that this difference needs by itself.
        reason: what the difference means to readers of the old version; it quotes the documents.
    """

    path: str
    bump: Bump
    reason: str


def required_bump(old: JsonSchema, new: JsonSchema) -> Bump:
    """Return the part of the version that the change from `old` to `new` must raise."""
    return max((change.bump for change in schema_changes(old, new)), default=Bump.NONE)


def schema_changes(old: JsonSchema, new: JsonSchema) -> tuple[Change, ...]:
    """List the differences of two schemas, the costliest first; empty where both say the same.

    Raises:
        RecursionError: a document is nested hundreds of levels deep.
    """
    found = (change for change in _schemas(old, new, "") if change.path not in OWN_VERSION)
    return tuple(sorted(found, key=lambda change: (-change.bump, change.path)))


def _schemas(old: JsonSchema, new: JsonSchema, path: str) -> Iterator[Change]:
    for keyword in sorted(old.keys() | new.keys()):
        before, after, place = old.get(keyword), new.get(keyword), _below(path, keyword)
        if _meaning(keyword, before) == _meaning(keyword, after):
            continue
        if keyword in PROSE or keyword.startswith("x-"):
            yield Change(place, Bump.PATCH, "only words for people changed")
        elif keyword in SCHEMAS_BY_NAME:
            yield from _named(keyword, _mapping(before), _mapping(after), place, is_open=_is_open(old))
        else:
            yield from _inner(keyword, before, after, place)


def _inner(keyword: str, before: object, after: object, path: str) -> Iterator[Change]:
    """Descend where the keyword holds schemas on both sides; every other difference is major."""
    if keyword in ONE_SCHEMA and isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _schemas(before, after, path)
    elif keyword in LISTS_OF_SCHEMAS and (pairs := _paired(before, after)):
        for index, (old, new) in enumerate(pairs):
            yield from _schemas(old, new, _below(path, str(index)))
    elif _canonical(before) != _canonical(after):
        yield Change(path, Bump.MAJOR, f"went from {_shown(before)} to {_shown(after)}: readers rely on it")


def _named(keyword: str, old: JsonSchema, new: JsonSchema, path: str, *, is_open: bool) -> Iterator[Change]:
    for name in sorted(old.keys() - new.keys()):
        yield Change(_below(path, name), Bump.MAJOR, f"{_shown(name)} is gone: readers look for it")
    for name in sorted(new.keys() - old.keys()):
        if keyword == "properties":
            yield _new_key(_below(path, name), name, is_open=is_open)
    for name in sorted(old.keys() & new.keys()):
        yield from _inner("items", old[name], new[name], _below(path, name))


def _new_key(path: str, name: str, *, is_open: bool) -> Change:
    if is_open:
        return Change(
            path, Bump.MINOR, f"{_shown(name)} is new: readers that ignore unknown keys keep working"
        )
    return Change(path, Bump.MAJOR, f"{_shown(name)} is new, and the old schema refuses unknown keys")


def _paired(before: object, after: object) -> list[tuple[JsonSchema, JsonSchema]]:
    """Two lists of schemas side by side; empty unless they are as long as each other."""
    if not (isinstance(before, list) and isinstance(after, list) and len(before) == len(after)):
        return []
    are_schemas = all(isinstance(each, Mapping) for each in (*before, *after))
    return list(zip(before, after, strict=True)) if are_schemas else []


def _is_open(schema: JsonSchema) -> bool:
    return schema.get("additionalProperties", True) is True


def _mapping(value: object) -> JsonSchema:
    return value if isinstance(value, Mapping) else {}


def _below(path: str, key: str) -> str:
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"


def _meaning(keyword: str, value: object) -> str:
    if keyword in UNORDERED and isinstance(value, list):
        return _canonical(sorted(map(_canonical, value)))
    return _canonical(value)


def _canonical(value: object) -> str:
    """JSON that is the same for equal values only: unlike Python, it tells 1 from true."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _shown(value: object) -> str:
    text = "nothing" if value is None else _canonical(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
