"""Published contracts: the frozen schemas, and all schemas in the history of this repository."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from domain.model.contract.compatibility import schema_changes
from domain.model.contract.envelope_schema import envelope_schema
from domain.model.contract.json_schema import published_schema
from domain.model.events.kinds import EventKind
from domain.model.events.schema_id import schema_id
from domain.model.events.sent import SentEvent
from domain.model.events.version import Bump, SchemaVersion, declared_version
from domain.model.route.route import DEFAULT_ROUTES

ROOT = Path(__file__).parents[3]
FOLDER = "docs/events"
GOLDEN = Path("tests/unit/golden")


class Published(NamedTuple):
    """Schema that consumers may depend on."""

    where: str
    schema: dict[str, Any]


def frozen(root: Path = ROOT) -> list[Published]:
    """Load the schemas that were copied when their version was published."""
    files = sorted((root / GOLDEN).glob("*.schema.json"))
    return [Published(file.name, json.loads(file.read_text(encoding="utf-8"))) for file in files]


def has_history(root: Path = ROOT) -> bool:
    """Check that the folder is a git repository, and git is installed."""
    return shutil.which("git") is not None and (root / ".git").exists()


def committed(root: Path = ROOT) -> Iterator[Published]:
    """Yield all schemas of `docs/events` in the commits up to HEAD; none in a new repository."""
    if _has_no_commit(root):
        return
    seen = set[str]()
    for commit in _git(root, "log", "--full-history", "--format=%H", "HEAD", "--", FOLDER).split():
        for line in _git(root, "ls-tree", "-r", commit, f"{FOLDER}/").splitlines():
            blob, path = line.split()[2:4]
            if path.endswith(".schema.json") and blob not in seen:
                seen.add(blob)
                yield Published(f"{commit[:9]}:{path}", json.loads(_git(root, "cat-file", "blob", blob)))


def breaches(published: Iterable[Published]) -> list[str]:
    """List incompatible changes of the models since publication that their versions do not allow."""
    return [
        f"{where}: {change.bump.name} {change.path}: {change.reason}"
        for where, schema in published
        for change in _uncovered(schema)
    ]


def _uncovered(schema: dict[str, Any]) -> Iterator[Any]:
    old = declared_version(schema)
    if old is None:
        yield from _worse_than_minor(schema)
        return
    for model in _models_of(str(schema["$id"])):
        new = SchemaVersion.parse(model.SCHEMA_VERSION)
        for change in schema_changes(schema, published_schema(model)):
            if new.major == old.major and not new.covers(change.bump, since=old):
                yield change


def _models_of(identifier: str) -> Iterator[type[SentEvent]]:
    """Yield the models of the type of event that a schema describes, in every version."""
    for model in (model for kind in EventKind for model in kind.models):
        if schema_id(model).rpartition(":")[0] == identifier.rpartition(":")[0]:
            yield model


def _worse_than_minor(envelope: dict[str, Any]) -> Iterator[Any]:
    """Yield breaking changes of the envelope, which has no version, without those of the event inside."""
    now = next(
        schema for schema in map(envelope_schema, DEFAULT_ROUTES.values()) if schema["$id"] == envelope["$id"]
    )
    for change in schema_changes(_without_event(envelope), _without_event(dict(now))):
        if change.bump is Bump.MAJOR:
            yield change


def _without_event(envelope: dict[str, Any]) -> dict[str, Any]:
    return {**envelope, "properties": {**envelope["properties"], "detail": {}}}


def _has_no_commit(root: Path) -> bool:
    command = ["git", "-C", str(root), "rev-parse", "--quiet", "--verify", "HEAD"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 1


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
