"""The version that each kind of change needs, where it is reported, and in which words."""

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from domain.model.contract.compatibility import PROSE, Change, required_bump, schema_changes
from domain.model.contract.json_schema import published_schema
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.version import Bump

Schema = dict[str, Any]

LIMITED: Schema = {"additionalProperties": {"type": "string"}}
CLOSED: Schema = {"additionalProperties": False}
UNEVALUATED: Schema = {"unevaluatedProperties": False}
TREE: Schema = {"properties": {"next": {"$ref": "#"}}}
ANCHOR: Schema = {"$ref": "#there"}
HIDDEN: Schema = {"not": {"$ref": "#/$defs/A"}}
A_KEY: Schema = {"properties": {"key": {"type": "string"}}}
TEXT, NULL = {"type": "string"}, {"type": "null"}


def of(key: str, schema: Schema) -> Schema:
    return {"properties": {key: schema}}


def referring(schema: Schema, name: str = "A") -> Schema:
    return {"properties": {"a": {"$ref": f"#/$defs/{name}"}}, "$defs": {name: schema}}


@pytest.mark.parametrize(
    ("old", "new", "bump", "path"),
    [
        # keys
        ({}, A_KEY, Bump.MINOR, "/properties/key"),
        ({"items": {}}, {"items": A_KEY}, Bump.MINOR, "/items/properties/key"),
        (referring({}), referring(A_KEY), Bump.MINOR, "/$defs/A/properties/key"),
        (CLOSED, CLOSED | A_KEY, Bump.MAJOR, "/properties/key"),
        (LIMITED, LIMITED | A_KEY, Bump.MAJOR, "/properties/key"),
        (A_KEY, {}, Bump.MAJOR, "/properties/key"),
        (A_KEY, A_KEY | {"required": ["key"]}, Bump.MAJOR, "/required"),
        ({"required": ["a", "b"]}, {"required": ["b"]}, Bump.MAJOR, "/required"),
        ({"required": ["a", "b"]}, {"required": ["b", "a"]}, Bump.NONE, None),
        ({"properties": {"a/b~c": {}}}, {}, Bump.MAJOR, "/properties/a~1b~0c"),
        (CLOSED, {}, Bump.MAJOR, "/additionalProperties"),
        (A_KEY, {"properties": {"key": False}}, Bump.MAJOR, "/properties/key"),
        (UNEVALUATED, UNEVALUATED | A_KEY, Bump.MAJOR, "/unevaluatedProperties"),
        # values
        ({"type": "string"}, {"type": ["string", "null"]}, Bump.MAJOR, "/type"),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, Bump.MAJOR, "/enum"),
        ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, Bump.NONE, None),
        ({"const": 1}, {"const": True}, Bump.MAJOR, "/const"),
        ({"const": None}, {}, Bump.MAJOR, "/const"),
        ({"type": ["string", "null"]}, {"type": ["null", "string"]}, Bump.NONE, None),
        ({"minLength": 2}, {"minLength": 1}, Bump.MAJOR, "/minLength"),
        ({}, {"format": "uuid"}, Bump.MAJOR, "/format"),
        # alternatives
        ({"anyOf": [TEXT, {}]}, {"anyOf": [TEXT, A_KEY]}, Bump.MINOR, "/anyOf/1/properties/key"),
        ({"anyOf": [TEXT]}, {"anyOf": [TEXT, NULL]}, Bump.MAJOR, "/anyOf"),
        # definitions
        ({}, {"$defs": {"A": TEXT}}, Bump.NONE, None),
        (referring(TEXT, "A"), referring(TEXT, "B"), Bump.NONE, None),
        (referring(TEXT, "A"), referring(NULL, "B"), Bump.MAJOR, "/$defs/B/type"),
        (TREE, {"properties": TREE["properties"] | {"key": {}}}, Bump.MINOR, "/properties/key"),
        (ANCHOR, ANCHOR | {"$defs": {"A": {"$anchor": "there"}}}, Bump.MAJOR, "/$ref"),
        (ANCHOR, ANCHOR, Bump.NONE, None),
        # words
        ({"title": "a"}, {"title": "b"}, Bump.PATCH, "/title"),
        ({}, {"x-note": {"anything": 1}}, Bump.PATCH, "/x-note"),
        (of("title", TEXT), of("title", NULL), Bump.MAJOR, "/properties/title/type"),
        # keywords that the rule does not know
        ({"not": {}}, {"not": A_KEY}, Bump.MAJOR, "/not"),
        (HIDDEN | {"$defs": {"A": {}}}, HIDDEN | {"$defs": {"A": A_KEY}}, Bump.MAJOR, "/not"),
        ({}, {"invented": 1}, Bump.MAJOR, "/invented"),
        # the document's own version
        ({"$id": "urn:a:1.0"}, {"$id": "urn:a:1.1"}, Bump.NONE, None),
        (of("version", {"const": "1.0"}), of("version", {"const": "1.1"}), Bump.NONE, None),
        (of("version", TEXT), of("version", NULL), Bump.MAJOR, "/properties/version/type"),
    ],
)  # fmt: skip
def test_each_kind_of_change_has_its_bump_and_its_place(
    old: Schema, new: Schema, bump: Bump, path: str | None
) -> None:
    changes = schema_changes(old, new)

    assert required_bump(old, new) is bump
    assert [change.path for change in changes if change.bump is bump] == ([path] if path else [])


def test_the_costliest_change_comes_first_and_each_says_its_reason() -> None:
    old = {"properties": {"a": {"enum": ["x"]}, "b": {}}, "title": "t"}
    new = {"properties": {"a": {"enum": ["x", "y" * 100]}, "b": {}, "c": {}}, "title": "u"}
    (major, minor, patch) = schema_changes(old, new)

    assert major.reason.startswith('now "yyy')
    assert major.reason.endswith("…: not known to be compatible")
    reason = "the key is new: readers that ignore unknown keys keep working"
    assert minor == Change("/properties/c", Bump.MINOR, reason)
    assert patch == Change("/title", Bump.PATCH, "only words for people changed")


KEYS = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from(["", "a", "aaa"]))
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)
SCHEMAS = st.recursive(
    st.sampled_from([{}, TEXT, NULL, CLOSED, {"type": "integer"}, {"const": "a"}, {"required": ["a"]}]),
    lambda inner: st.fixed_dictionaries(
        {"properties": st.dictionaries(KEYS, inner, min_size=1)},
        optional={
            "additionalProperties": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    ),
    max_leaves=5,
)


@given(SCHEMAS)
def test_a_schema_does_not_differ_from_itself(schema: Schema) -> None:
    assert schema_changes(schema, copy.deepcopy(schema)) == ()


@given(SCHEMAS, SCHEMAS, st.lists(DOCUMENTS, min_size=1, max_size=10))
def test_readers_of_the_old_schema_accept_all_that_a_minor_change_lets_through(
    old: Schema, new: Schema, documents: list[Any]
) -> None:
    grown = copy.deepcopy(old)
    grown["properties"] = {**new.get("properties", {}), **old.get("properties", {})}
    assume(required_bump(old, grown) is not Bump.MAJOR)
    before, after = Draft202012Validator(old), Draft202012Validator(grown)

    assert [each for each in documents if after.is_valid(each) and not before.is_valid(each)] == []


@given(SCHEMAS, st.sampled_from(sorted(PROSE)))
def test_words_for_people_are_a_patch(schema: Schema, keyword: str) -> None:
    assert required_bump(schema, {**schema, keyword: "words"}) is Bump.PATCH


@given(SCHEMAS, SCHEMAS)
def test_a_change_needs_the_same_version_behind_a_reference_under_another_name(
    old: Schema, new: Schema
) -> None:
    assert required_bump(referring(old, "A"), referring(new, "B")) is required_bump(old, new)


@pytest.mark.parametrize("key", BatchProcessingCompleted.model_fields)
def test_no_key_of_the_event_can_be_removed_or_demanded_without_a_major_version(key: str) -> None:
    schema = dict(published_schema(BatchProcessingCompleted))
    properties, required = schema["properties"], schema["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    without = {**schema, "properties": {name: each for name, each in properties.items() if name != key}}
    demanding = {**schema, "required": [*required, "language"]}

    assert required_bump(schema, without) is Bump.MAJOR
    assert required_bump(schema, demanding) is Bump.MAJOR
