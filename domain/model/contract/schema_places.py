"""Places in a JSON Schema document, with references followed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeGuard
from urllib.parse import unquote

JsonSchema = Mapping[str, object]

PROSE = frozenset({"title", "description", "examples", "$comment", "readOnly", "writeOnly"})
"""Keywords that speak to people, and bind nobody."""


def canonical(value: object) -> str:
    """JSON that is the same for equal values only: unlike Python, it tells 1 from true."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


class Place(NamedTuple):
    """A schema within a document.

    Attributes:
        schema: its keywords; a reference without other keywords beside it is replaced by what it refers to.
        path: a JSON pointer (RFC 6901) to where it really stands in the document.
        root: the whole document.
        site: where a reference led here from, if there are words beside it that count for this site alone.
        words: the keywords of those words.
    """

    schema: JsonSchema
    path: str
    root: JsonSchema
    site: str = ""
    words: frozenset[str] = frozenset()

    def below(self, *keys: str | int) -> "Place":
        """The place that these keywords, keys and indexes lead to; raises KeyError or IndexError."""
        value: object = self.schema
        for key in keys:
            value = _child(value, str(key))
        return _followed(value, self.path_to(*keys), self.root)

    def all_below(self, keyword: str) -> list["Place"]:
        """The places in a keyword's list; none where it holds no list."""
        value = self.schema.get(keyword)
        return [self.below(keyword, index) for index in range(len(value))] if _is_list(value) else []

    def path_to(self, *keys: str | int) -> str:
        """The JSON pointer to something in this place."""
        steps = (str(key).replace("~", "~0").replace("/", "~1") for key in keys)
        return "/".join([self.path, *steps])

    def path_to_words(self, keyword: str) -> str:
        """The JSON pointer to a keyword that speaks to people."""
        return f"{self.site}/{keyword}" if keyword in self.words else self.path_to(keyword)

    def meaning(self, keyword: str) -> str:
        """A keyword's value together with everything it refers to, in a form to be compared."""
        value, targets = self.schema.get(keyword), dict[str, object]()
        waiting = list(_references(value))
        while waiting:
            reference = waiting.pop()
            if reference not in targets:
                targets[reference] = _target(self.root, reference)
                waiting += _references(targets[reference])
        return canonical([value, targets])


def top(document: JsonSchema) -> Place:
    """The place at which a document begins."""
    return _followed(document, "", document)


def schemas_in(schema: JsonSchema, keyword: str) -> dict[str, JsonSchema]:
    """The schemas that a keyword gives names to, as `properties` does; none where it is not there."""
    value = schema.get(keyword)
    return {name: _as_schema(item) for name, item in value.items()} if isinstance(value, Mapping) else {}


def _followed(value: object, path: str, root: JsonSchema, passed: frozenset[str] = frozenset()) -> Place:
    schema = _as_schema(value)
    pointer = _pointer(schema.get("$ref"), root)
    if pointer is None or pointer in passed:
        return Place(schema, path, root)
    beside = {key: item for key, item in schema.items() if key != "$ref"}
    if beside.keys() - PROSE:
        return Place({"allOf": [{"$ref": schema["$ref"]}, beside]}, path, root)
    target = _target(root, str(schema["$ref"]))
    if target is None:
        return Place(schema, path, root)
    place = _followed(target, pointer, root, passed | {pointer})
    if not beside:
        return place
    return Place({**place.schema, **beside}, place.path, root, site=path, words=frozenset(beside))


def _as_schema(value: object) -> JsonSchema:
    if isinstance(value, Mapping):
        return value
    return {} if value is True else {"not": {}} if value is False else {"malformed schema": value}


def _pointer(reference: object, root: JsonSchema) -> str | None:
    """The JSON pointer of a reference into its own document; None for any other."""
    if not isinstance(reference, str):
        return None
    place, _, fragment = reference.partition("#")
    own = place in ("", root.get("$id"))
    return unquote(fragment) if own and (fragment == "" or fragment.startswith("/")) else None


def _target(root: JsonSchema, reference: str) -> object:
    """What a reference leads to; None where that is not in the document."""
    pointer = _pointer(reference, root)
    if pointer is None:
        return None
    value: object = root
    try:
        for step in pointer.split("/")[1:]:
            value = _child(value, step.replace("~1", "/").replace("~0", "~"))
    except LookupError:
        return None
    return value


def _child(value: object, key: str) -> object:
    if isinstance(value, Mapping):
        return value[key]
    if _is_list(value) and key.isdecimal():
        return value[int(key)]
    raise KeyError(key)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference
        for item in value.values():
            yield from _references(item)
    elif _is_list(value):
        for item in value:
            yield from _references(item)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list)
