"""What each kind of change costs, where it is said to be, and in which words."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from domain.model.contract.json_schema import published_schema
from domain.model.contract.schema_changes import required_bump, schema_changes
from domain.model.contract.schema_keywords import Change
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.version import Bump

Schema = dict[str, Any]


def schema() -> Schema:
    return copy.deepcopy(dict(published_schema(BatchProcessingCompleted)))


def describe(changed: Schema) -> None:
    changed["properties"]["user_id"]["description"] = "who asked"


def add_optional(changed: Schema) -> None:
    changed["properties"]["language"] = {"type": "string", "default": "en"}


def add_optional_inside(changed: Schema) -> None:
    changed["$defs"]["TranscriptData"]["properties"]["language"] = {"type": "string"}


def add_demanded(changed: Schema) -> None:
    add_optional(changed)
    changed["required"].append("language")


def remove(changed: Schema) -> None:
    del changed["properties"]["account_id"]


def retype(changed: Schema) -> None:
    changed["properties"]["user_id"]["type"] = "integer"


def never_null(changed: Schema) -> None:
    changed["properties"]["account_id"]["anyOf"] = [{"type": "string"}]


def another_constant(changed: Schema) -> None:
    changed["properties"]["status"]["const"] = "done"


def lose_a_shape(changed: Schema) -> None:
    del changed["$defs"]["TranscriptData"]


def only_the_number(changed: Schema) -> None:
    changed["properties"]["version"]["pattern"] = "^1[.]1$"
    changed["$id"] = "urn:batch-transcription:event:batch-processing-completed:1.1"


@pytest.mark.parametrize(
    ("change", "bump"),
    [
        (describe, Bump.PATCH),
        (add_optional, Bump.MINOR),
        (add_optional_inside, Bump.MINOR),
        (never_null, Bump.MINOR),
        (add_demanded, Bump.MAJOR),
        (remove, Bump.MAJOR),
        (retype, Bump.MAJOR),
        (another_constant, Bump.MAJOR),
        (lose_a_shape, Bump.MAJOR),
        (only_the_number, Bump.NONE),
    ],
)
def test_a_change_costs_what_its_readers_have_to_fear(change: Callable[[Schema], None], bump: Bump) -> None:
    changed = schema()
    change(changed)

    assert required_bump(schema(), changed) is bump


def test_no_change_costs_nothing() -> None:
    assert schema_changes(schema(), schema()) == ()
    assert required_bump(schema(), schema()) is Bump.NONE


CLOSED: Schema = {"additionalProperties": False}
NUMBERED: Schema = {"additionalProperties": {"type": "integer"}}
TEXT: Schema = {"type": "string"}
ONE: Schema = {"const": 1}
TWO: Schema = {"const": 2}
A_KEY: Schema = {"properties": {"key": {"type": "string"}}}


@pytest.mark.parametrize(
    ("old", "new", "bump", "path"),
    [
        # types
        ({"type": "string"}, {"type": ["string", "null"]}, Bump.MAJOR, "/type"),
        ({"type": ["string", "null"]}, {"type": "string"}, Bump.MINOR, "/type"),
        ({"type": "integer"}, {"type": "number"}, Bump.MAJOR, "/type"),
        ({"type": "number"}, {"type": "integer"}, Bump.MINOR, "/type"),
        ({"type": "string"}, {}, Bump.MAJOR, "/type"),
        ({}, {"type": "string"}, Bump.MINOR, "/type"),
        # values
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, Bump.MAJOR, "/enum"),
        ({"enum": ["a", "b"]}, {"enum": ["b"]}, Bump.MINOR, "/enum"),
        ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, Bump.NONE, None),
        ({"enum": ["a"]}, {"const": "a"}, Bump.NONE, None),
        ({"const": "a"}, {"const": "b"}, Bump.MAJOR, "/const"),
        ({"const": 1}, {"const": True}, Bump.MAJOR, "/const"),
        ({"const": "a"}, {}, Bump.MAJOR, "/enum"),
        ({}, {"const": "a"}, Bump.MINOR, "/const"),
        ({"enum": ["a" * 100 + "b"]}, {"enum": ["a" * 100 + "c"]}, Bump.MAJOR, "/enum"),
        # bounds
        ({"minLength": 1}, {"minLength": 2}, Bump.MINOR, "/minLength"),
        ({"minLength": 2}, {"minLength": 1}, Bump.MAJOR, "/minLength"),
        ({"maximum": 5}, {"maximum": 6}, Bump.MAJOR, "/maximum"),
        ({"maximum": 6}, {"maximum": 5}, Bump.MINOR, "/maximum"),
        ({"maxItems": 5}, {}, Bump.MAJOR, "/maxItems"),
        ({}, {"maxItems": 5}, Bump.MINOR, "/maxItems"),
        ({"exclusiveMinimum": 1}, {"exclusiveMinimum": True}, Bump.MAJOR, "/exclusiveMinimum"),
        # constraints
        ({"pattern": "a"}, {"pattern": "b"}, Bump.MAJOR, "/pattern"),
        ({}, {"pattern": "a"}, Bump.MINOR, "/pattern"),
        ({"format": "uuid"}, {}, Bump.MAJOR, "/format"),
        ({}, {"format": "uuid"}, Bump.MINOR, "/format"),
        # keys
        ({}, A_KEY, Bump.MINOR, "/properties/key"),
        (CLOSED, CLOSED | A_KEY, Bump.MAJOR, "/properties/key"),
        (A_KEY, {}, Bump.MAJOR, "/properties/key"),
        ({"required": ["a"]}, {"required": ["a", "b"]}, Bump.MAJOR, "/required"),
        ({"required": ["a", "b"]}, {"required": ["a"]}, Bump.MAJOR, "/required"),
        ({"required": ["a", "b"]}, {"required": ["b", "a"]}, Bump.NONE, None),
        (CLOSED, {}, Bump.MAJOR, "/additionalProperties"),
        (CLOSED, {"additionalProperties": True}, Bump.MAJOR, "/additionalProperties"),
        ({}, CLOSED, Bump.MINOR, "/additionalProperties"),
        ({}, {"additionalProperties": True}, Bump.NONE, None),
        ({"additionalProperties": {"type": "string"}}, {}, Bump.MAJOR, "/additionalProperties/type"),
        ({}, {"additionalProperties": {"type": "string"}}, Bump.MINOR, "/additionalProperties/type"),
        (NUMBERED, NUMBERED | A_KEY, Bump.MAJOR, "/properties/key/type"),
        ({"properties": {"a/b~c": {}}}, {}, Bump.MAJOR, "/properties/a~1b~0c"),
        # lists
        ({"items": {"type": "string"}}, {"items": {}}, Bump.MAJOR, "/items/type"),
        ({}, {"items": {"type": "string"}}, Bump.MINOR, "/items/type"),
        ({"prefixItems": [{}]}, {"prefixItems": [{}, {}]}, Bump.MAJOR, "/prefixItems"),
        # alternatives
        ({"anyOf": [TEXT]}, {"anyOf": [TEXT, {"type": "null"}]}, Bump.MAJOR, "/anyOf/1"),
        ({"anyOf": [TEXT, {"type": "null"}]}, {"anyOf": [{"type": "null"}]}, Bump.MINOR, "/anyOf/0"),
        ({"oneOf": [ONE, TWO]}, {"oneOf": [TWO, ONE]}, Bump.NONE, None),
        ({"oneOf": [ONE, TWO]}, {"oneOf": [{"const": 3}, ONE]}, Bump.MAJOR, "/oneOf/0/const"),
        ({"anyOf": [{"const": 1}]}, {}, Bump.MAJOR, "/anyOf"),
        ({}, {"anyOf": [{"const": 1}]}, Bump.MINOR, "/anyOf"),
        ({"allOf": [{"type": "string"}]}, {"allOf": [{"type": "null"}]}, Bump.MAJOR, "/allOf/0/type"),
        ({"allOf": [{}]}, {"allOf": [{}, {"type": "null"}]}, Bump.MINOR, "/allOf/1"),
        ({"allOf": [{}, {"type": "null"}]}, {"allOf": [{}]}, Bump.MAJOR, "/allOf/1"),
        # words
        ({"title": "a"}, {"title": "b"}, Bump.PATCH, "/title"),
        ({}, {"x-note": {"anything": 1}}, Bump.PATCH, "/x-note"),
        ({}, {"deprecated": True}, Bump.MINOR, "/deprecated"),
        ({"$id": "urn:a:1.0"}, {"$id": "urn:a:1.1"}, Bump.NONE, None),
        # what no rule is made for
        ({"default": 1}, {"default": 2}, Bump.MAJOR, "/default"),
        ({"not": {"const": 1}}, {"not": {"const": 2}}, Bump.MAJOR, "/not"),
        ({"patternProperties": {"^a": {}}}, {}, Bump.MAJOR, "/patternProperties"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, {}, Bump.MAJOR, "/$schema"),
        ({}, {"invented": 1}, Bump.MAJOR, "/invented"),
        ({"properties": {"a": {}}}, {"properties": {"a": False}}, Bump.MAJOR, "/properties/a/not"),
        ({"properties": {"a": {}}}, {"properties": {"a": True}}, Bump.NONE, None),
        ({"properties": {"a": {}}}, {"properties": {"a": 7}}, Bump.MAJOR, "/properties/a/malformed schema"),
        ({"anyOf": "a"}, {"anyOf": "b"}, Bump.MAJOR, "/anyOf"),
        ({"required": "a"}, {"required": "b"}, Bump.MAJOR, "/required"),
        ({"items": [{"type": "null"}]}, {"items": [{}]}, Bump.MAJOR, "/items/malformed schema"),
    ],
)  # fmt: skip
def test_every_kind_of_change_has_its_cost_and_its_place(
    old: Schema, new: Schema, bump: Bump, path: str | None
) -> None:
    changes = schema_changes(old, new)

    assert max((change.bump for change in changes), default=Bump.NONE) is bump
    assert [change.path for change in changes if change.bump is bump] == ([path] if path else [])


def in_defs(definition: Schema) -> Schema:
    return {
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}},
        "$defs": {"A": definition},
    }


def test_a_change_behind_a_reference_is_named_once_where_it_really_stands() -> None:
    (change,) = schema_changes(in_defs({"type": "string"}), in_defs({"type": "null"}))[:1]

    assert change.path == "/$defs/A/type"
    assert (
        len(schema_changes(in_defs({"const": 1}), in_defs({"const": 2}))) == 2
    )  # widened and narrowed, once


def test_a_definition_may_be_renamed_moved_or_written_out() -> None:
    renamed = {"properties": {key: {"$ref": "#/$defs/B"} for key in "ab"}, "$defs": {"B": {"const": 1}}}
    written_out = {"properties": {"a": {"const": 1}, "b": {"const": 1}}}

    assert schema_changes(in_defs({"const": 1}), renamed) == ()
    assert schema_changes(in_defs({"const": 1}), written_out) == ()


def test_what_nobody_refers_to_does_not_count() -> None:
    assert schema_changes({"$defs": {"A": {"const": 1}}}, {"$defs": {"B": {"const": 2}}}) == ()


def test_schemas_that_contain_themselves_come_to_an_end() -> None:
    def tree(leaf: str) -> Schema:
        return {
            "properties": {
                "leaf": {"type": leaf},
                "below": {"$ref": "#"},
                "next": {"$ref": "#/properties/next"},
            }
        }

    changes = schema_changes(tree("string"), tree("null"))

    assert {change.path for change in changes if change.path.endswith("type")} == {"/properties/leaf/type"}


@pytest.mark.parametrize("keyword", ["not", "if", "patternProperties", "dependentSchemas"])
def test_a_change_is_not_overlooked_behind_a_keyword_without_a_rule(keyword: str) -> None:
    def referring(constant: int) -> Schema:
        inner = {"$ref": "#/$defs/A"}
        held = {"^a": inner} if keyword in ("patternProperties", "dependentSchemas") else inner
        return {keyword: held, "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"const": constant}}}

    assert required_bump(referring(1), referring(1)) is Bump.NONE
    assert required_bump(referring(1), referring(2)) is Bump.MAJOR
    assert required_bump(referring(1), referring(1) | {"title": "words"}) is Bump.PATCH


@pytest.mark.parametrize(
    "far_reaching",
    [
        {"$ref": "#an-anchor"},
        {"$ref": "#/$defs/not-there"},
        {"$dynamicRef": "#meta"},
        {"properties": {"a": {"$id": "urn:another"}}},
        {"unevaluatedProperties": False},
    ],
)
def test_what_cannot_be_followed_is_taken_for_the_worst_as_soon_as_anything_changes(
    far_reaching: Schema,
) -> None:
    assert required_bump(far_reaching, far_reaching) is Bump.NONE
    assert required_bump(far_reaching, far_reaching | {"$defs": {"a": {"$anchor": "x"}}}) is Bump.MAJOR


def test_a_reference_to_another_document_counts_when_it_changes() -> None:
    assert required_bump({"$ref": "urn:a"}, {"$ref": "urn:a", "title": "words"}) is Bump.PATCH
    assert required_bump({"$ref": "urn:a"}, {"$ref": "urn:b"}) is Bump.MAJOR


def test_keywords_beside_a_reference_count_as_well_as_what_it_refers_to() -> None:
    def both(least: int, constant: int) -> Schema:
        return {"allOf": [], "$ref": "#/$defs/A", "minimum": least, "$defs": {"A": {"const": constant}}}

    assert required_bump(both(1, 1), both(1, 2)) is Bump.MAJOR
    assert required_bump(both(2, 1), both(1, 1)) is Bump.MAJOR
    assert required_bump(both(1, 1), both(2, 1)) is Bump.MINOR


def test_the_costliest_change_comes_first_and_every_one_has_its_own_cost_and_reason() -> None:
    old = {"properties": {"a": {"enum": ["x"]}, "b": {}}, "title": "t"}
    new = {"properties": {"a": {"enum": ["x", "y"]}, "b": {}, "c": {}}, "title": "u"}

    assert schema_changes(old, new) == (
        Change(
            "/properties/a/enum",
            Bump.MAJOR,
            'may now be "y": readers of the old version do not expect that',
        ),
        Change(
            "/properties/c",
            Bump.MINOR,
            "the key is new: readers that ignore what they do not know keep working",
        ),
        Change("/title", Bump.PATCH, "only words for people changed"),
    )


def test_only_the_events_own_version_is_left_out_and_only_its_value() -> None:
    def versioned(inner: Schema) -> Schema:
        return {"properties": {"version": inner, "data": {"properties": {"version": inner}}}}

    paths = [change.path for change in schema_changes(versioned({"const": "1"}), versioned({"const": "2"}))]
    assert set(paths) == {"/properties/data/properties/version/const"}
    retyped = {"properties": {"version": {"type": "string"}}}
    assert required_bump(retyped, {"properties": {"version": {"type": "integer"}}}) is Bump.MAJOR


def test_words_beside_a_reference_belong_to_the_place_that_refers() -> None:
    def described(words: str) -> Schema:
        properties = {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A", "description": words}}
        return {"properties": properties, "$defs": {"A": {"const": 1}}}

    assert schema_changes(described("it"), described("that")) == (
        Change("/properties/b/description", Bump.PATCH, "only words for people changed"),
    )


def test_shapes_that_share_their_parts_many_times_over_are_compared_in_no_time() -> None:
    def tower(bottom: str, levels: int = 40) -> Schema:
        floors: Schema = {
            f"L{level}": {"properties": {key: {"$ref": f"#/$defs/L{level + 1}"} for key in "abc"}}
            for level in range(levels)
        }
        return {"$ref": "#/$defs/L0", "$defs": {**floors, f"L{levels}": {"const": bottom}}}

    assert len(schema_changes(tower("x"), tower("y"))) == 2


def test_shapes_that_all_contain_each_other_are_compared_in_no_time() -> None:
    names = [f"S{number}" for number in range(25)]

    def web(constant: int) -> Schema:
        shapes: Schema = {
            name: {"properties": {other: {"$ref": f"#/$defs/{other}"} for other in names}} for name in names
        }
        shapes["S24"]["properties"]["leaf"] = {"const": constant}
        return {"$ref": "#/$defs/S0", "$defs": shapes}

    assert {change.path for change in schema_changes(web(1), web(2))} == {"/$defs/S24/properties/leaf/const"}


def test_what_is_taken_for_granted_in_one_comparison_is_not_in_the_next() -> None:
    """The alternatives share a shape; whether it fits depends on which of them contains it."""

    def schema_of(kind: list[str]) -> Schema:
        node = {"properties": {"kind": {"enum": kind}, "next": {"$ref": "#/$defs/Leaf"}}}
        leaf = {"properties": {"up": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}
        return {
            "properties": {
                "x": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                "y": {"$ref": "#/$defs/Leaf"},
            },
            "$defs": {"Node": node, "Leaf": leaf},
        }

    assert required_bump(schema_of(["a"]), schema_of(["a", "b"])) is Bump.MAJOR
    assert required_bump(schema_of(["a", "b"]), schema_of(["a"])) is Bump.MINOR


def test_a_constant_says_its_type() -> None:
    old = {"properties": {"status": {"type": "string"}}}
    new = {"properties": {"status": {"const": "completed"}}}

    assert [change.bump for change in schema_changes(old, new)] == [Bump.MINOR]
