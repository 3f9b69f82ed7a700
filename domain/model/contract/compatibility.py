"""Compatibility of two JSON Schemas of an event: which version a change needs (requirement 1.10).

The rule is short, so that it can be kept in mind: a new optional key in an object that admits unknown keys is
minor, a change of words for people is a patch, and every other difference is major. References within a
document are followed, so the name of a definition does not count. The alternatives of `oneOf` are taken to
exclude one another.
"""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from domain.model.events.version import Bump

JsonSchema = Mapping[str, object]

PROSE = frozenset({"title", "description", "examples", "$comment", "deprecated", "readOnly", "writeOnly"})
"""Keywords that speak to people and constrain no value."""
DEFINITIONS = frozenset({"$defs", "definitions"})
ONE_SCHEMA = frozenset({"items", "additionalProperties"})
LISTS_OF_SCHEMAS = frozenset({"anyOf", "oneOf", "allOf"})
UNORDERED = frozenset({"required", "enum", "type"})
UNFOLLOWED = ("$ref", "$dynamicRef", "$id", "unevaluatedProperties", "unevaluatedItems")
"""Keywords that depend on other places: unchanged, they may still mean something else."""
OWN_VERSION = frozenset(
    {"/$id", *(f"/properties/version/{each}" for each in ("const", "enum", "pattern", "default"))}
)
"""Places that name the version of the document itself, and differ with every version."""
NEW_KEY = Bump.MINOR, "the key is new: readers that ignore unknown keys keep working"
NEW_KEY_REFUSED = Bump.MAJOR, "the key is new, and the old schema refuses unknown keys"
MAX_SHOWN = 80
"""Characters of values in a reason: they come from the documents."""


class Change(NamedTuple):
    """One difference between two versions of a schema."""

    path: str  # JSON pointer (RFC 6901) into the new document, also to the place of a key that is gone
    bump: Bump  # the version that this difference needs by itself
    reason: str  # what the difference means to readers of the old version; it quotes the documents


def required_bump(old: JsonSchema, new: JsonSchema) -> Bump:
    """Return the part of the version that the change from `old` to `new` must raise."""
    return max((change.bump for change in schema_changes(old, new)), default=Bump.NONE)


def schema_changes(old: JsonSchema, new: JsonSchema) -> tuple[Change, ...]:
    """List the differences of two valid schemas, the costliest first; empty where both say the same.

    Raises:
        RecursionError: a document is nested hundreds of levels deep.
    """
    if _canonical(old) == _canonical(new):
        return ()
    found = {
        change for change in _Comparison(old, new).schemas(old, new, "") if change.path not in OWN_VERSION
    }
    return tuple(sorted(found, key=lambda change: (-change.bump, change.path)))


class _Comparison:
    """Walks through two documents at once, and follows each pair of references once."""

    def __init__(self, old: JsonSchema, new: JsonSchema) -> None:
        self._documents = old, new
        self._followed: set[tuple[str, str]] = set()

    def schemas(self, old: object, new: object, path: str) -> Iterator[Change]:
        """Yield the differences of two schemas, booleans included, and of all that they hold or refer to."""
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for keyword in sorted((old.keys() | new.keys()) - DEFINITIONS):
                yield from self._keyword(keyword, old, new, _below(path, keyword))
        elif _canonical(old) != _canonical(new):
            yield Change(path, Bump.MAJOR, _told({_canonical(old)}, {_canonical(new)}))

    def _keyword(self, keyword: str, old: JsonSchema, new: JsonSchema, path: str) -> Iterator[Change]:
        before, after = old.get(keyword), new.get(keyword)
        if keyword == "properties":
            is_open = old.get("additionalProperties", True) is True
            yield from self._keys(_mapping(before), _mapping(after), path, is_open=is_open)
        elif keyword == "$ref":
            yield from self._targets(str(before), str(after), path)
        elif keyword in ONE_SCHEMA and keyword in old and keyword in new:
            yield from self.schemas(before, after, path)
        elif keyword in LISTS_OF_SCHEMAS and (pairs := _paired(before, after)):
            for index, pair in enumerate(pairs):
                yield from self.schemas(*pair, _below(path, str(index)))
        else:
            yield from _changes_of_value(keyword, old, new, path)

    def _keys(self, old: JsonSchema, new: JsonSchema, path: str, *, is_open: bool) -> Iterator[Change]:
        for name in old.keys() - new.keys():
            yield Change(_below(path, name), Bump.MAJOR, "the key is gone: readers look for it")
        for name in new.keys() - old.keys():
            yield Change(_below(path, name), *(NEW_KEY if is_open else NEW_KEY_REFUSED))
        for name in old.keys() & new.keys():
            yield from self.schemas(old[name], new[name], _below(path, name))

    def _targets(self, before: str, after: str, path: str) -> Iterator[Change]:
        if (before, after) in self._followed:
            return
        self._followed.add((before, after))
        old, new = map(_target, self._documents, (before, after))
        if old is None or new is None:
            yield Change(path, Bump.MAJOR, "the reference cannot be followed, and the documents differ")
        else:
            yield from self.schemas(old, new, unquote(after[1:]))


def _target(document: JsonSchema, reference: str) -> JsonSchema | None:
    """Find the schema that a JSON pointer names; None for other documents and for anchors."""
    start, *steps = unquote(reference).split("/")
    found: object = document if start == "#" else None
    for step in steps:
        found = _mapping(found).get(step.replace("~1", "/").replace("~0", "~"))
    return found if isinstance(found, Mapping) else None


def _paired(before: object, after: object) -> list[tuple[object, object]]:
    """Put two lists side by side; empty unless they are as long as each other."""
    if not (isinstance(before, list) and isinstance(after, list) and len(before) == len(after)):
        return []
    return list(zip(before, after, strict=True))


def _changes_of_value(keyword: str, old: JsonSchema, new: JsonSchema, path: str) -> Iterator[Change]:
    before, after = _values(keyword, old), _values(keyword, new)
    if keyword in PROSE or keyword.startswith("x-"):
        if before != after:
            yield Change(path, Bump.PATCH, "only words for people changed")
    elif before != after:
        yield Change(path, Bump.MAJOR, _told(before, after))
    elif any(f'"{each}"' in _canonical({keyword: new[keyword]}) for each in UNFOLLOWED):
        yield Change(path, Bump.MAJOR, "depends on places that cannot be followed, and the documents differ")


def _values(keyword: str, schema: JsonSchema) -> set[str]:
    """Return the keyword's value as JSON, or its values where their order means nothing; empty if absent."""
    value = schema.get(keyword)
    if keyword in UNORDERED and isinstance(value, list) and value:
        return set(map(_canonical, value))
    return {_canonical(value)} if keyword in schema else set()


def _told(before: set[str], after: set[str]) -> str:
    lists = (("no longer", before - after), ("now", after - before))
    told = ", ".join(f"{word} {_shown(values)}" for word, values in lists if values)
    return f"{told}: not known to be compatible"


def _mapping(value: object) -> JsonSchema:
    return value if isinstance(value, Mapping) else {}


def _below(path: str, key: str) -> str:
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"


def _canonical(value: object) -> str:
    """Return JSON that is the same for equal values only: unlike Python, it tells 1 from true."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _shown(values: set[str]) -> str:
    text = " or ".join(sorted(values))
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
