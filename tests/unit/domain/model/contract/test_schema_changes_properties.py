"""What holds for any schema, whatever it looks like."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from domain.model.contract.schema_changes import required_bump, schema_changes
from domain.model.events.version import Bump

pytestmark = pytest.mark.slow

Schema = dict[str, Any]

KEYS = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from(["", "a", "aaa"]))
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["null", "boolean", "object", "array", "number", "integer", "string"])


def some_of(keywords: dict[str, st.SearchStrategy[Any]], at_most: int) -> st.SearchStrategy[Schema]:
    pairs = [st.tuples(st.just(keyword), values) for keyword, values in keywords.items()]
    return st.lists(st.one_of(pairs), max_size=at_most).map(dict)


LEAVES = some_of(
    {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "const": SCALARS,
        "enum": st.lists(SCALARS, min_size=1, max_size=3),
        "minimum": st.integers(-2, 3),
        "maximum": st.integers(-2, 3),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "minItems": st.integers(0, 3),
        "pattern": st.sampled_from(["^a", "a$"]),
        "required": st.lists(KEYS, max_size=2, unique=True),
        "title": st.sampled_from(["one", "two"]),
    },
    at_most=3,
)


def grown(*, closed: bool) -> st.SearchStrategy[Schema]:
    """Schemas of any depth; closed ones also say what other keys may hold, and what a value must not be."""

    def larger(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
        several = st.lists(inner, min_size=1, max_size=3)
        keywords = {
            "properties": st.dictionaries(KEYS, inner, min_size=1, max_size=3),
            "items": inner,
            "anyOf": several,
            "allOf": several,
        }
        if closed:
            keywords |= {"additionalProperties": st.one_of(inner, st.booleans()), "not": inner}
            keywords |= {"patternProperties": st.dictionaries(st.just("^a"), inner)}
        return st.tuples(LEAVES, some_of(keywords, at_most=2)).map(lambda pair: pair[0] | pair[1])

    return st.recursive(LEAVES, larger, max_leaves=5)


ANY = grown(closed=True)


def places(schema: Any) -> Iterator[Schema]:
    """Every schema within a schema, itself included."""
    if isinstance(schema, dict):
        yield schema
        for key in ("items", "additionalProperties", "not"):
            yield from places(schema.get(key))
        for key in ("properties", "patternProperties"):
            for inner in schema.get(key, {}).values():
                yield from places(inner)
        for key in ("anyOf", "allOf"):
            for inner in schema.get(key, []):
                yield from places(inner)


@st.composite
def changed(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """A schema, and the same with a few keywords taken from others or taken away."""
    old = draw(ANY)
    new = copy.deepcopy(old)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(list(places(new))))
        if draw(st.booleans()) and place:
            del place[draw(st.sampled_from(sorted(place)))]
        place |= draw(ANY)
    return old, new


@given(ANY)
def test_a_schema_does_not_differ_from_itself(schema: Schema) -> None:
    assert schema_changes(schema, copy.deepcopy(schema)) == ()


@given(grown(closed=False), st.data())
def test_a_new_optional_key_is_minor_wherever_it_is_added(schema: Schema, data: st.DataObject) -> None:
    changed = copy.deepcopy(schema)
    place = data.draw(st.sampled_from(list(places(changed))))
    place["properties"] = {**place.get("properties", {}), "new": data.draw(LEAVES)}

    assert required_bump(schema, changed) is Bump.MINOR


@settings(max_examples=200)
@given(changed(), st.lists(DOCUMENTS, min_size=1, max_size=10))
def test_what_a_minor_version_lets_through_a_reader_of_the_old_one_accepts(
    schemas: tuple[Schema, Schema], documents: list[Any]
) -> None:
    old, new = schemas
    assume(required_bump(old, new) is not Bump.MAJOR)
    before, after = Draft202012Validator(old), Draft202012Validator(new)

    assert [each for each in documents if after.is_valid(each) and not before.is_valid(each)] == []


@given(ANY, ANY)
def test_any_two_schemas_can_be_compared_both_ways(one: Schema, other: Schema) -> None:
    there, back = schema_changes(one, other), schema_changes(other, one)

    assert all(change.reason and change.path.startswith("/") for change in (*there, *back))
    assert list(there) == sorted(there, key=lambda change: (-change.bump, change.path))


@given(ANY, ANY, KEYS)
def test_a_change_costs_the_same_behind_a_reference(one: Schema, other: Schema, key: str) -> None:
    def referring(schema: Schema) -> Schema:
        return {"properties": {key: {"$ref": "#/$defs/It"}}, "$defs": {"It": schema}}

    assert required_bump(referring(one), referring(other)) is required_bump(one, other)
