from typing import Any

import pytest

from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.version import Bump, SchemaVersion, declared_version


@pytest.mark.parametrize(
    ("bump", "after"), [(Bump.MAJOR, "2.0"), (Bump.MINOR, "1.5"), (Bump.PATCH, "1.4"), (Bump.NONE, "1.4")]
)
def test_the_version_grows_by_the_rules_of_semantic_versioning(bump: Bump, after: str) -> None:
    assert str(SchemaVersion.parse("1.4").bumped(bump)) == after


@pytest.mark.parametrize(
    ("bump", "new", "covered"),
    [
        (Bump.NONE, "1.4", True),
        (Bump.PATCH, "1.4", True),
        (Bump.MINOR, "1.4", False),
        (Bump.MINOR, "1.5", True),
        (Bump.MINOR, "1.7", True),
        (Bump.MAJOR, "1.5", False),
        (Bump.MAJOR, "2.0", True),
        (Bump.NONE, "1.3", False),
        (Bump.NONE, "0.9", False),
    ],
)
def test_a_version_allows_for_a_change_or_does_not(bump: Bump, new: str, *, covered: bool) -> None:
    assert SchemaVersion.parse(new).covers(bump, since=SchemaVersion(1, 4)) is covered


def test_a_reader_understands_every_version_of_its_major_and_no_other() -> None:
    reader = SchemaVersion.parse(BatchProcessingCompleted.SCHEMA_VERSION)

    assert reader.can_read(SchemaVersion(1, 7))
    assert not reader.can_read(SchemaVersion(2, 0))


@pytest.mark.parametrize("text", ["", "1", "1.0.0", "v1.0", "1.x", "¹.0", "-1.0", "1.01", "01.0", "1.0\n"])
def test_a_version_is_two_numbers_and_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        SchemaVersion.parse(text)


@pytest.mark.parametrize(
    ("schema", "version"),
    [
        ({"properties": {"version": {"const": "1.3"}}}, "1.3"),
        ({"$id": "urn:acme:event:2.1"}, "2.1"),
        ({"$id": "https://acme.example/events/done-2.1.schema.json"}, "2.1"),
        ({"$id": "urn:acme:9.9", "properties": {"version": {"const": "1.3"}}}, "1.3"),
        ({"$id": "urn:acme:event"}, None),
        ({"$id": "urn:acme:1.2.3"}, None),
        ({"properties": {"version": {"const": 1.0}}}, None),
        ({"properties": {"version": {"const": "one"}}}, None),
        ({"properties": ["version"]}, None),
        ({"properties": {"version": True}}, None),
        ({}, None),
    ],
)
def test_a_schema_declares_its_version_or_none(schema: dict[str, Any], version: str | None) -> None:
    assert declared_version(schema) == (SchemaVersion.parse(version) if version else None)
