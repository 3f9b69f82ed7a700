"""Semantic versioning of the event contract (requirement 1.10)."""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple, Self

JsonSchema = Mapping[str, object]

_PROSE = frozenset({"title", "description", "examples", "$comment"})
_NUMBER = frozenset({"version"})  # it changes with every version, and says nothing by itself


class Bump(IntEnum):
    """How much of the version a change costs."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


class SchemaVersion(NamedTuple):
    """A version `major.minor` as it stands in an event's `version` field."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `"1.0"`.

        Raises:
            ValueError: `text` is not two numbers with a dot between them.
        """
        parts = text.split(".")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):  # noqa: PLR2004
            raise ValueError(f"{text!r} is not a version such as '1.0'")
        return cls(*map(int, parts))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def bumped(self, bump: Bump) -> "SchemaVersion":
        """The version after a change; prose alone (`PATCH`) does not show in `major.minor`."""
        if bump is Bump.MAJOR:
            return SchemaVersion(self.major + 1, 0)
        return SchemaVersion(self.major, self.minor + 1) if bump is Bump.MINOR else self

    def can_read(self, written: "SchemaVersion") -> bool:
        """Whether a reader made for this version understands an event of the `written` one."""
        return self.major == written.major


def required_bump(old: JsonSchema, new: JsonSchema) -> Bump:
    """What a consumer of `old` has to fear from `new`, both JSON Schemas of the event.

    Words alone are a patch. A new optional key is a minor version: readers that ignore what they do not know
    keep working. Everything else (a key gone, a key demanded, a type or a constant changed) is a major one.
    """
    if old == new:
        return Bump.NONE
    bumps = [_bump_of_rest(old, new), _bump_of_keys(old, new)]
    old_shapes, new_shapes = _mapping(old, "$defs"), _mapping(new, "$defs")
    bumps += [required_bump(_schema(old_shapes[name]), _schema(new_shapes.get(name))) for name in old_shapes]
    return max(bumps)


def _bump_of_keys(old: JsonSchema, new: JsonSchema) -> Bump:
    before, after = (_without(_mapping(schema, "properties"), _NUMBER) for schema in (old, new))
    added = Bump.MINOR if after.keys() - before.keys() else Bump.NONE
    return max([added, *(required_bump(_schema(before[key]), _schema(after.get(key))) for key in before)])


def _bump_of_rest(old: JsonSchema, new: JsonSchema) -> Bump:
    nested = frozenset({"properties", "$defs"})
    if _without(old, nested | _PROSE) != _without(new, nested | _PROSE):
        return Bump.MAJOR
    return Bump.NONE if _without(old, nested) == _without(new, nested) else Bump.PATCH


def _without(schema: JsonSchema, keys: frozenset[str]) -> dict[str, object]:
    return {key: value for key, value in schema.items() if key not in keys}


def _mapping(schema: JsonSchema, key: str) -> JsonSchema:
    return _schema(schema.get(key, {}))


def _schema(value: object) -> JsonSchema:
    return value if isinstance(value, Mapping) else {}
