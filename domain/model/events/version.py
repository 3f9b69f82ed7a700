"""Semantic versioning of the event contract (requirement 1.10)."""

import re
from collections.abc import Mapping
from contextlib import suppress
from enum import IntEnum
from typing import NamedTuple, Self

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
_AT_THE_END = re.compile(r"[:/-](\d+\.\d+)(\.schema)?(\.json)?$", re.ASCII)


class Bump(IntEnum):
    """Part of the version that a change increments."""

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
        """Parse a version such as `"1.0"`.

        Raises:
            ValueError: `text` is not two numbers with a dot between them, without leading zeros
                (semver.org, 2).
        """
        found = _VERSION.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a version such as '1.0'")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def bumped(self, bump: Bump) -> "SchemaVersion":
        """Return the version after a change; a change of prose (`PATCH`) does not change `major.minor`."""
        if bump is Bump.MAJOR:
            return SchemaVersion(self.major + 1, 0)
        return SchemaVersion(self.major, self.minor + 1) if bump is Bump.MINOR else self

    def covers(self, bump: Bump, since: "SchemaVersion") -> bool:
        """Return True where this version is high enough for a change since an earlier one."""
        return self >= since.bumped(bump)

    def can_read(self, written: "SchemaVersion") -> bool:
        """Return True where a reader of this version can read events of the `written` one."""
        return self.major == written.major


def declared_version(schema: Mapping[str, object]) -> SchemaVersion | None:
    """Return the version of a JSON Schema: its constant `version`, or else the end of its `$id`."""
    properties = schema.get("properties")
    version = properties.get("version") if isinstance(properties, Mapping) else None
    constant = version.get("const") if isinstance(version, Mapping) else None
    ending = _AT_THE_END.search(str(schema.get("$id", "")))
    for text in (constant, ending and ending[1]):
        with suppress(ValueError):
            return SchemaVersion.parse(text if isinstance(text, str) else "")
    return None
