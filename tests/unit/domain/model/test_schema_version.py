import copy
from collections.abc import Callable
from typing import Any

import pytest

from domain.model.events import BatchProcessingCompleted
from domain.model.schema_version import Bump, SchemaVersion, required_bump

Schema = dict[str, Any]


def schema() -> Schema:
    return copy.deepcopy(BatchProcessingCompleted.model_json_schema())


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


def another_constant(changed: Schema) -> None:
    changed["properties"]["status"]["const"] = "done"


def lose_a_shape(changed: Schema) -> None:
    del changed["$defs"]["TranscriptData"]


def only_the_number(changed: Schema) -> None:
    changed["properties"]["version"]["const"] = "1.1"


@pytest.mark.parametrize(
    ("change", "bump"),
    [
        (describe, Bump.PATCH),
        (add_optional, Bump.MINOR),
        (add_optional_inside, Bump.MINOR),
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
    assert required_bump(schema(), schema()) is Bump.NONE


@pytest.mark.parametrize(
    ("bump", "after"), [(Bump.MAJOR, "2.0"), (Bump.MINOR, "1.5"), (Bump.PATCH, "1.4"), (Bump.NONE, "1.4")]
)
def test_the_version_grows_by_the_rules_of_semantic_versioning(bump: Bump, after: str) -> None:
    assert str(SchemaVersion.parse("1.4").bumped(bump)) == after


def test_a_reader_understands_every_version_of_its_major_and_no_other() -> None:
    reader = SchemaVersion.parse(BatchProcessingCompleted.SCHEMA_VERSION)

    assert reader.can_read(SchemaVersion(1, 7))
    assert not reader.can_read(SchemaVersion(2, 0))


@pytest.mark.parametrize("text", ["", "1", "1.0.0", "v1.0", "1.x", "¹.0", "-1.0"])
def test_a_version_is_two_numbers_and_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        SchemaVersion.parse(text)
