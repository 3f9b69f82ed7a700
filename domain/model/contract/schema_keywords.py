"""What a change of one JSON Schema keyword means to the readers of the old version."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeGuard

from domain.model.contract.schema_places import PROSE, Place, canonical
from domain.model.events.version import Bump

MAX_SHOWN = 80
"""Characters of a value in a reason."""

TYPES = frozenset({"null", "boolean", "object", "array", "number", "string"})
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
CONSTRAINTS = ("pattern", "format", "multipleOf", "uniqueItems", "contentEncoding", "contentMediaType")
JUDGED = frozenset(
    {"type", "const", "enum", "required", "deprecated", *LOWER_BOUNDS, *UPPER_BOUNDS, *CONSTRAINTS, *PROSE}
)
"""The keywords that this module has a rule for."""


class Change(NamedTuple):
    """One difference between two versions of a schema.

    Attributes:
        path: JSON pointer to it, into the new document, or into the old one for what is gone.
        bump: what it costs by itself.
        reason: what it means to readers of the old version, in words; it quotes the documents.
    """

    path: str
    bump: Bump
    reason: str


def shown(value: object) -> str:
    """A value as JSON, cut to a readable length."""
    return _cut(canonical(value))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def changes_of_values(old: Place, new: Place) -> Iterator[Change]:
    """What keywords about one value change: they widen what readers meet, narrow it, or say it otherwise."""
    yield from _type(old, new)
    yield from _allowed_values(old, new)
    yield from _bounds(old, new)
    yield from _constraints(old, new)
    yield from _demanded_keys(old, new)
    yield from _prose(old, new)


def _type(old: Place, new: Place) -> Iterator[Change]:
    if "type" not in old.schema and "type" not in new.schema:
        return
    before, after = _types(old), _types(new)
    if more := [name for name in sorted(after) if not _includes(before, name)]:
        yield _widened(new.path_to("type"), f"may now be {' or '.join(more)}")
    if less := [name for name in sorted(before) if not _includes(after, name)]:
        yield _narrowed(new.path_to("type"), f"is never {' or '.join(less)} any more")


_TYPES_BY_START = {'"': "string", "{": "object", "[": "array", "t": "boolean", "f": "boolean", "n": "null"}
"""How the JSON of a value begins."""


def _types(place: Place) -> frozenset[str]:
    """The types that are said, or else those of the values that are listed."""
    if "type" in place.schema:
        return frozenset(map(str, _items(place.schema["type"])))
    values = _values(place)
    return TYPES if values is None else frozenset(_TYPES_BY_START.get(each[0], "number") for each in values)


def _includes(types: frozenset[str], name: str) -> bool:
    return name in types or (name == "integer" and "number" in types)


def _allowed_values(old: Place, new: Place) -> Iterator[Change]:
    """`const` is an `enum` of one."""
    before, after = _values(old), _values(new)
    path = new.path_to("const" if "const" in new.schema else "enum")
    if after is None:
        if before is not None:
            yield _widened(path, "may now hold any value")
    elif before is None:
        yield _narrowed(path, f"holds only {_listed(after)} now")
    elif before != after:
        yield from _other_values(path, before, after)


def _other_values(path: str, before: frozenset[str], after: frozenset[str]) -> Iterator[Change]:
    if more := after - before:
        yield _widened(path, f"may now be {_listed(more)}")
    if less := before - after:
        yield _narrowed(path, f"is never {_listed(less)} any more")


def _listed(values: Iterable[str]) -> str:
    return " or ".join(map(_cut, sorted(values)))


def _values(place: Place) -> frozenset[str] | None:
    """The values that are allowed, each as JSON; None where any is."""
    lists = [[place.schema["const"]]] if "const" in place.schema else []
    lists += [_items(place.schema["enum"])] if "enum" in place.schema else []
    return frozenset.intersection(*(frozenset(map(canonical, each)) for each in lists)) if lists else None


def _bounds(old: Place, new: Place) -> Iterator[Change]:
    for keyword in (*LOWER_BOUNDS, *UPPER_BOUNDS):
        before, after = old.schema.get(keyword), new.schema.get(keyword)
        if canonical(before) == canonical(after):
            continue
        path, told = new.path_to(keyword), f"went from {shown(before)} to {shown(after)}"
        if after is None or (before is not None and _is_wider(keyword, before, after)):
            yield _widened(path, told)
        else:
            yield _narrowed(path, told)


def _is_wider(keyword: str, before: object, after: object) -> bool:
    """Whether a bound lets more through; so does, for all we know, one that is no number."""
    if not (_is_number(before) and _is_number(after)):
        return True
    return after < before if keyword in LOWER_BOUNDS else after > before


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _constraints(old: Place, new: Place) -> Iterator[Change]:
    for keyword in CONSTRAINTS:
        before, after = old.schema.get(keyword), new.schema.get(keyword)
        if canonical(before) == canonical(after):
            continue
        path = new.path_to(keyword)
        if keyword not in old.schema:
            yield _narrowed(path, f"must now satisfy {shown(after)}")
        elif keyword not in new.schema:
            yield _widened(path, f"need not satisfy {shown(before)} any more")
        else:
            yield _widened(
                path, f"went from {shown(before)} to {shown(after)}, and may let other values through"
            )


def _demanded_keys(old: Place, new: Place) -> Iterator[Change]:
    before, after = _names(old.schema.get("required")), _names(new.schema.get("required"))
    path = new.path_to("required")
    for key in sorted(after - before):
        reason = "is demanded now: events written before, which queues and archives still hold, may lack it"
        yield Change(path, Bump.MAJOR, f"{_cut(key)} {reason}")
    for key in sorted(before - after):
        yield Change(path, Bump.MAJOR, f"{_cut(key)} may be missing now: readers rely on it")


def _names(value: object) -> frozenset[str]:
    return frozenset(map(canonical, value)) if isinstance(value, list) else frozenset()


def _prose(old: Place, new: Place) -> Iterator[Change]:
    if old.schema.get("deprecated") != new.schema.get("deprecated"):
        yield Change(new.path_to("deprecated"), Bump.MINOR, "readers are told what to rely on no longer")
    for keyword in sorted(old.schema.keys() | new.schema.keys()):
        is_prose = keyword in PROSE or keyword.startswith("x-")
        if is_prose and canonical(old.schema.get(keyword)) != canonical(new.schema.get(keyword)):
            yield Change(new.path_to_words(keyword), Bump.PATCH, "only words for people changed")


def _widened(path: str, what: str) -> Change:
    return Change(path, Bump.MAJOR, f"{what}: readers of the old version do not expect that")


def _narrowed(path: str, what: str) -> Change:
    return Change(path, Bump.MINOR, f"{what}: readers of the old version can read all that is left")


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
