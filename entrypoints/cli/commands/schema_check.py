"""`transcripts schema check`: the version that a change of a JSON Schema needs."""

import json
from pathlib import Path
from typing import NamedTuple

import click

from domain.model.contract.compatibility import Change, JsonSchema, schema_changes
from domain.model.errors import ConfigurationError
from domain.model.events.version import Bump, SchemaVersion, declared_version
from entrypoints.cli.runtime.parameters import PathTo, examples
from entrypoints.cli.views.output import EXIT_FAILED, print_json, printable


class _Version(click.ParamType[SchemaVersion]):
    name = "version"

    def convert(
        self,
        value: str | SchemaVersion,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> SchemaVersion:
        """Read `1.0`."""
        try:
            return value if isinstance(value, SchemaVersion) else SchemaVersion.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Comparison(NamedTuple):
    """Two schemas side by side; a version is None where nothing names it."""

    changes: tuple[Change, ...]
    old: SchemaVersion | None
    new: SchemaVersion | None

    @property
    def bump(self) -> Bump:
        """The part of the version that all changes together must raise."""
        return max((change.bump for change in self.changes), default=Bump.NONE)

    @property
    def covered(self) -> bool | None:
        """True if the versions allow for the changes; None if they are unknown."""
        if self.old is None or self.new is None:
            return None
        return self.new.covers(self.bump, since=self.old)


MAX_SHOWN = 200
"""Characters of a validation message that are shown: it quotes the file."""

FILE = PathTo(exists=True, dir_okay=False, path_type=Path)


@click.command(
    "check",
    short_help="Say which version a change needs, and why.",
    epilog=examples("schema check old.schema.json new.schema.json --version 1.0 1.1"),
)
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option(
    "--version",
    "versions",
    type=_Version(),
    nargs=2,
    metavar="OLD NEW",
    help="The versions of the files, such as 1.0 1.1. Otherwise they are read from the schemas.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def check(
    old: Path, new: Path, versions: tuple[SchemaVersion, SchemaVersion] | None, *, as_json: bool
) -> None:
    """Say which version the change from the JSON Schema in OLD to the one in NEW needs, and why.

    A new optional key in an object that admits unknown keys is minor, words for people are a patch, and any
    other difference is major. Exits 1 where the versions do not allow for the change. They are read from the
    constant `version` of the schema, or from the end of its `$id`.
    """
    before, after = read_schema(old), read_schema(new)
    named = versions or (declared_version(before), declared_version(after))
    try:
        comparison = Comparison(schema_changes(before, after), *named)
    except RecursionError as error:
        raise ConfigurationError(f"{old} or {new} is nested too deeply to be compared.") from error
    if as_json:
        print_json(_as_json(comparison))
    else:
        _show(comparison)
    if comparison.covered is False:
        raise SystemExit(EXIT_FAILED)


def _as_json(comparison: Comparison) -> dict[str, object]:
    changes = [{**change._asdict(), "bump": change.bump.name.lower()} for change in comparison.changes]
    return {
        "bump": comparison.bump.name.lower(),
        "old_version": comparison.old and str(comparison.old),
        "new_version": comparison.new and str(comparison.new),
        "covered": comparison.covered,
        "changes": changes,
    }


def _show(comparison: Comparison) -> None:
    for change in comparison.changes:
        click.echo(f"{change.bump.name:<6} {printable(change.path)}  {printable(change.reason)}")
    click.echo(_verdict(comparison))


def _verdict(comparison: Comparison) -> str:
    old, new, bump = comparison.old, comparison.new, comparison.bump
    needed = "Nothing changed." if bump is Bump.NONE else f"This is a {bump.name.lower()} change."
    if old is None or new is None:
        return f"{needed} The schemas name no versions to hold it to: see --version."
    if comparison.covered:
        return f"{needed} {old} to {new} covers it."
    return f"{needed} {old} to {new} does not cover it: it needs {old.bumped(bump)} at least."


def read_schema(path: Path) -> JsonSchema:
    """Read a JSON Schema of the dialect 2020-12.

    Raises:
        ConfigurationError: the file cannot be read, is no JSON, or breaks the meta-schema; names the place.
    """
    document = _read(path)
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} is no JSON Schema: it holds no JSON object.")
    if other := document.keys() & {"openapi", "asyncapi"}:
        raise ConfigurationError(f"{path} is no JSON Schema but {other.pop()}: compare the events' schemas.")
    if problem := _problem(path, document):
        raise ConfigurationError(f"{path} is no JSON Schema (2020-12): {problem}")
    return document


def _read(path: Path) -> object:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if not text.strip():
            raise ConfigurationError(f"{path} is empty.")
        document: object = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as JSON: {error}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{path} is nested too deeply to be read.") from error
    return document


def _problem(path: Path, document: JsonSchema) -> str:
    """The first breach of the meta-schema and its place; empty where there is none."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    validator = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    try:
        error = best_match(validator.iter_errors(document))
    except RecursionError as too_deep:
        raise ConfigurationError(f"{path} is nested too deeply to be checked.") from too_deep
    if error is None:
        return ""
    message = str(error.message)
    return f"{error.json_path}: {message if len(message) <= MAX_SHOWN else message[:MAX_SHOWN] + '…'}"
