"""What a change of the structure of a JSON Schema means to the readers of the old version."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from domain.model.contract.schema_keywords import Change, changes_of_values
from domain.model.contract.schema_places import Place, schemas_in
from domain.model.contract.schema_unruled import changes_without_rule
from domain.model.events.version import Bump


class Pair(NamedTuple):
    """Two places that are to be compared."""

    old: Place
    new: Place

    @property
    def name(self) -> tuple[str, ...]:
        """The same for the same places."""
        return (self.old.path, self.old.site, self.new.path, self.new.site)


ProvisionedResource = Change | Pair
BumpOf = Callable[[Pair], Bump]
"""What a comparison costs, as far as it is known: it tells which alternatives belong together."""


def parts(pair: Pair, bump_of: BumpOf) -> Iterator[ProvisionedResource]:
    """The changes of two places themselves, and the pairs of places within them that have to be compared."""
    old, new = pair
    yield from changes_of_values(old, new)
    yield from _keys(old, new)
    yield from _other_keys(old, new)
    for keyword in ("items", "propertyNames"):
        yield from _contents(old, new, keyword)
    for keyword in ("anyOf", "oneOf"):
        yield from _alternatives(old, new, keyword, bump_of)
    yield from _conditions(old, new)
    yield from changes_without_rule(old, new)


def _keys(old: Place, new: Place) -> Iterator[ProvisionedResource]:
    before, after = schemas_in(old.schema, "properties"), schemas_in(new.schema, "properties")
    for key in before:
        if key in after:
            yield Pair(old.below("properties", key), new.below("properties", key))
        else:
            path = old.path_to("properties", key)
            yield Change(path, Bump.MAJOR, "the key is gone, or may hold anything: readers look for it")
    for key in after.keys() - before.keys():
        yield from _new_key(old, new, key)


def _new_key(old: Place, new: Place, key: str) -> Iterator[ProvisionedResource]:
    path = new.path_to("properties", key)
    others = old.schema.get("additionalProperties", True)
    if others is False:
        yield Change(path, Bump.MAJOR, "the key is new, and the old schema refuses keys it does not know")
        return
    reason = "the key is new: readers that ignore what they do not know keep working"
    yield Change(path, Bump.MINOR, reason)
    if others is not True:
        yield Pair(old.below("additionalProperties"), new.below("properties", key))


def _other_keys(old: Place, new: Place) -> Iterator[ProvisionedResource]:
    keyword = "additionalProperties"
    before, after = old.schema.get(keyword, True), new.schema.get(keyword, True)
    path = new.path_to(keyword)
    if before is not False and after is False:
        yield Change(path, Bump.MINOR, "other keys are never written any more: readers do not need them")
    elif before is False and after is not False:
        yield Change(path, Bump.MAJOR, "other keys may be written now: the old schema refuses them")
    else:
        yield from _contents(old, new, keyword)


def _contents(old: Place, new: Place, keyword: str) -> Iterator[ProvisionedResource]:
    """A keyword that holds one schema; where it is missing, anything goes."""
    if keyword in old.schema or keyword in new.schema:
        yield Pair(_or_anything(old, keyword), _or_anything(new, keyword))


def _alternatives(old: Place, new: Place, keyword: str, bump_of: BumpOf) -> Iterator[ProvisionedResource]:
    befores, afters = old.all_below(keyword), new.all_below(keyword)
    if not (befores and afters):
        yield from _appeared_or_gone(befores, afters, new.path_to(keyword))
        return
    met = set[int]()
    for index, after in enumerate(afters):
        costs = [bump_of(Pair(before, after)) for before in befores]
        best = min(range(len(costs)), key=lambda each: (costs[each], each != index))
        if costs[best] < Bump.MAJOR or len(befores) == len(afters):
            met |= {best, *(each for each, cost in enumerate(costs) if cost < Bump.MAJOR)}
            yield Pair(befores[best], after)
        else:
            reason = "another alternative may be written: readers do not expect it"
            yield Change(after.path, Bump.MAJOR, reason)
    for index in set(range(len(befores))) - met:
        yield Change(befores[index].path, Bump.MINOR, "the alternative is never written any more")


def _conditions(old: Place, new: Place) -> Iterator[ProvisionedResource]:
    """`allOf`: each condition against the one in its place."""
    befores, afters = old.all_below("allOf"), new.all_below("allOf")
    for before, after in zip(befores, afters, strict=False):
        yield Pair(before, after)
    for place in afters[len(befores) :]:
        yield Change(place.path, Bump.MINOR, "one more condition holds: readers need not know")
    for place in befores[len(afters) :]:
        yield Change(place.path, Bump.MAJOR, "the condition no longer holds: readers rely on it")


def _or_anything(place: Place, keyword: str) -> Place:
    return place.below(keyword) if keyword in place.schema else Place({}, place.path_to(keyword), place.root)


def _appeared_or_gone(before: list[Place], after: list[Place], path: str) -> Iterator[Change]:
    if after:
        reason = "the value is one of these alternatives now: readers can read all of them"
        yield Change(path, Bump.MINOR, reason)
    if before:
        yield Change(path, Bump.MAJOR, "the value need not be one of the alternatives any more")
