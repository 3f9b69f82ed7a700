"""What a new version of an event's JSON Schema costs its consumers (requirement 1.10).

Consumers read what producers write. So a change is major where an event of the new version can be one that
the old schema refuses, or lacks what it promised; what is narrowed on paper costs them nothing and is minor,
as is a new optional key. Where no rule says what a change means, it is major.
"""

from collections.abc import Iterator, Sequence

from domain.model.schema_keywords import JUDGED, Change, changes_of_values, shown
from domain.model.schema_places import JsonSchema, Place, canonical, schemas_in, top
from domain.model.schema_version import Bump

_Above = frozenset[tuple[str, str]]

_STRUCTURE = frozenset(
    {"properties", "required", "additionalProperties", "items", "propertyNames", "anyOf", "oneOf", "allOf"}
)
_DEFINITIONS = frozenset({"$defs", "definitions"})  # compared where they are referred to
_FAR_REACHING = frozenset({"$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems"})
_SHAPES = {"properties": dict, "required": list, "anyOf": list, "oneOf": list, "allOf": list}
_OWN_NUMBER = frozenset(
    f"/properties/version/{keyword}" for keyword in ("const", "enum", "pattern", "default", "examples")
)


def required_bump(old: JsonSchema, new: JsonSchema) -> Bump:
    """What a consumer of `old` has to fear from `new`, both JSON Schemas of the event."""
    return max((change.bump for change in schema_changes(old, new)), default=Bump.NONE)


def schema_changes(old: JsonSchema, new: JsonSchema) -> tuple[Change, ...]:
    """Every difference that means something, the costliest first; none between a schema and itself.

    References within a document are followed. The values that the event's own `version` may hold and the
    document's `$id` change with every version, and say nothing by themselves. The alternatives of `oneOf` are
    taken to exclude one another.

    Raises:
        RecursionError: a document is nested a few hundred levels deep.
    """
    if canonical(old) == canonical(new):
        return ()
    found = dict.fromkeys(_changes(top(old), top(new), frozenset()))
    return tuple(
        sorted(
            (change for change in found if change.path not in _OWN_NUMBER),
            key=lambda change: (-change.bump, change.path),
        )
    )


def _changes(old: Place, new: Place, above: _Above) -> Iterator[Change]:
    """`above` holds the places that led here: a schema may contain itself."""
    if (old.path, new.path) in above:
        return
    above |= {(old.path, new.path)}
    yield from changes_of_values(old, new)
    yield from _keys(old, new, above)
    yield from _demanded_keys(old, new)
    yield from _other_keys(old, new, above)
    for keyword in ("items", "propertyNames"):
        yield from _contents(old, new, keyword, above)
    for keyword in ("anyOf", "oneOf"):
        yield from _alternatives(old, new, keyword, above)
    yield from _conditions(old, new, above)
    yield from _the_rest(old, new)


def _keys(old: Place, new: Place, above: _Above) -> Iterator[Change]:
    before, after = schemas_in(old.schema, "properties"), schemas_in(new.schema, "properties")
    for key in before:
        if key in after:
            yield from _changes(old.below("properties", key), new.below("properties", key), above)
        else:
            path = old.path_to("properties", key)
            yield Change(path, Bump.MAJOR, "the key is gone, or may hold anything: readers look for it")
    for key in after.keys() - before.keys():
        yield from _new_key(old, new, key, above)


def _new_key(old: Place, new: Place, key: str, above: _Above) -> Iterator[Change]:
    path = new.path_to("properties", key)
    others = old.schema.get("additionalProperties", True)
    if others is False:
        yield Change(
            path, Bump.MAJOR, "the key is new, and the old schema refuses keys that it does not know"
        )
        return
    yield Change(path, Bump.MINOR, "the key is new: readers that ignore what they do not know keep working")
    if others is not True:
        yield from _changes(old.below("additionalProperties"), new.below("properties", key), above)


def _demanded_keys(old: Place, new: Place) -> Iterator[Change]:
    before, after = _names(old.schema.get("required")), _names(new.schema.get("required"))
    path = new.path_to("required")
    for key in sorted(after - before):
        reason = "is demanded now: events written before, which queues and archives still hold, may lack it"
        yield Change(path, Bump.MAJOR, f"{key} {reason}")
    for key in sorted(before - after):
        yield Change(path, Bump.MAJOR, f"{key} may be missing now: readers rely on it")


def _names(value: object) -> frozenset[str]:
    return frozenset(map(shown, value)) if isinstance(value, list) else frozenset()


def _other_keys(old: Place, new: Place, above: _Above) -> Iterator[Change]:
    keyword = "additionalProperties"
    before, after = old.schema.get(keyword, True), new.schema.get(keyword, True)
    path = new.path_to(keyword)
    if before is not False and after is False:
        yield Change(path, Bump.MINOR, "other keys are never written any more: readers do not need them")
    elif before is False and after is not False:
        yield Change(path, Bump.MAJOR, "other keys may be written now: the old schema refuses them")
    else:
        yield from _contents(old, new, keyword, above)


def _contents(old: Place, new: Place, keyword: str, above: _Above) -> Iterator[Change]:
    """A keyword that holds one schema; where it is missing, anything goes."""
    if keyword in old.schema or keyword in new.schema:
        yield from _changes(_or_anything(old, keyword), _or_anything(new, keyword), above)


def _or_anything(place: Place, keyword: str) -> Place:
    return place.below(keyword) if keyword in place.schema else Place({}, place.path_to(keyword), place.root)


def _alternatives(old: Place, new: Place, keyword: str, above: _Above) -> Iterator[Change]:
    befores, afters = old.all_below(keyword), new.all_below(keyword)
    if not (befores and afters):
        yield from _appeared_or_gone(befores, afters, new.path_to(keyword))
        return
    met = set[int]()
    for after in afters:
        costs = [tuple(_changes(before, after, above)) for before in befores]
        best = min(range(len(costs)), key=lambda index: _cost(costs[index]))
        if _bump(costs[best]) < Bump.MAJOR or len(befores) == len(afters):
            met |= {best, *(index for index, cost in enumerate(costs) if _bump(cost) < Bump.MAJOR)}
            yield from costs[best]
        else:
            yield Change(
                after.path, Bump.MAJOR, "another alternative may be written: readers do not expect it"
            )
    for index in set(range(len(befores))) - met:
        yield Change(befores[index].path, Bump.MINOR, "the alternative is never written any more")


def _bump(changes: Sequence[Change]) -> Bump:
    return max((change.bump for change in changes), default=Bump.NONE)


def _cost(changes: Sequence[Change]) -> tuple[Bump, int]:
    return _bump(changes), len(changes)


def _conditions(old: Place, new: Place, above: _Above) -> Iterator[Change]:
    """`allOf`: each condition against the one in its place."""
    befores, afters = old.all_below("allOf"), new.all_below("allOf")
    for before, after in zip(befores, afters, strict=False):
        yield from _changes(before, after, above)
    for place in afters[len(befores) :]:
        yield Change(place.path, Bump.MINOR, "one more condition holds: readers need not know")
    for place in befores[len(afters) :]:
        yield Change(place.path, Bump.MAJOR, "the condition no longer holds: readers rely on it")


def _appeared_or_gone(before: list[Place], after: list[Place], path: str) -> Iterator[Change]:
    if after:
        reason = "the value is one of these alternatives now: readers can read all of them"
        yield Change(path, Bump.MINOR, reason)
    if before:
        yield Change(path, Bump.MAJOR, "the value need not be one of the alternatives any more")


def _the_rest(old: Place, new: Place) -> Iterator[Change]:
    """What there is no rule for: conditions, patterns of keys, dialects, references that lead outside."""
    for keyword in sorted(old.schema.keys() | new.schema.keys()):
        path = new.path_to(keyword)
        if _reaches_far(old, keyword):
            yield Change(path, Bump.MAJOR, "what it covers cannot be followed, and something changed")
        elif old.meaning(keyword) != new.meaning(keyword) and not _is_ruled(keyword, old, new):
            reason = "no rule says what this change means to readers, so it counts as the worst"
            yield Change(path, Bump.MAJOR, reason)


def _reaches_far(place: Place, keyword: str) -> bool:
    """Whether a keyword depends on places elsewhere that are not compared here, as references do."""
    if keyword == "$id":
        return place.path != ""
    return keyword in _FAR_REACHING or (keyword == "$ref" and str(place.schema.get(keyword)).startswith("#"))


def _is_ruled(keyword: str, *places: Place) -> bool:
    shape = _SHAPES.get(keyword, object)
    is_known = keyword in JUDGED | _STRUCTURE | _DEFINITIONS or keyword.startswith("x-") or keyword == "$id"
    return is_known and all(isinstance(place.schema.get(keyword, shape()), shape) for place in places)
