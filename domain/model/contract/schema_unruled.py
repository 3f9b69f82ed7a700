"""Changes of a JSON Schema that no rule is made for, and count as the worst."""

from collections.abc import Iterator

from domain.model.contract.schema_keywords import JUDGED, Change
from domain.model.contract.schema_places import Place
from domain.model.events.version import Bump

_STRUCTURE = frozenset(
    {"properties", "additionalProperties", "items", "propertyNames", "anyOf", "oneOf", "allOf"}
)
_DEFINITIONS = frozenset({"$defs", "definitions"})  # compared where they are referred to
_FAR_REACHING = frozenset({"$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems"})
_SHAPES = {"properties": dict, "required": list, "anyOf": list, "oneOf": list, "allOf": list}


def changes_without_rule(old: Place, new: Place) -> Iterator[Change]:
    """What there is no rule for: conditions, patterns of keys, dialects, references that lead outside."""
    for keyword in sorted(old.schema.keys() | new.schema.keys()):
        path = new.path_to(keyword)
        if _reaches_far(old, keyword):
            yield Change(path, Bump.MAJOR, "what it covers cannot be followed, and something changed")
        elif not _is_ruled(keyword, old, new) and old.meaning(keyword) != new.meaning(keyword):
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
