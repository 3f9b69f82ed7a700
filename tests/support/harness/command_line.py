"""Command line in this process, without AWS and without a database."""

import io
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import click
import pytest

from bootstrap.aws.account import AwsPlace
from bootstrap.aws.clients import AwsAccess
from bootstrap.settings import Settings
from domain.model.events.kinds import EventKind
from entrypoints.cli.main import cli, main
from entrypoints.cli.runtime.signals import STOPPING

A_PLACE = AwsPlace("us-east-1", "123456789012")
PLACE_LINE = f"{A_PLACE}.\n"
PLACE_KEYS = {"region": A_PLACE.region, "account": A_PLACE.account}
"""Region and account that commands print in these tests."""


class OnAws:
    """Base class of containers whose commands work on AWS."""

    def aws_access(self) -> AwsAccess:
        """Return access to the region that the commands print."""
        return AwsAccess(A_PLACE.region)

    def routes(self) -> dict[EventKind, Any]:
        """Return this container as the route of every kind of event."""
        return dict.fromkeys(EventKind, self)


def every_command(group: click.Group = cli, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Return all commands that can run, with the words that call them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield " ".join((*path, name)), command


class Told(NamedTuple):
    """Result of a command."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """Return the JSON of a successful command."""
        assert self.code == 0
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def error(self) -> dict[str, Any]:
        """Return the error, which must be the only JSON on stdout."""
        document: dict[str, Any] = json.loads(self.out)
        assert document.keys() == {"ok", "error"}
        assert document["ok"] is False
        error: dict[str, Any] = document["error"]
        return error


class Caller:
    """Caller of commands that end by themselves."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Told:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = self._capsys.readouterr()
        return Told(int(ended.value.code or 0), captured.out, captured.err)


class CommandOn:
    """A command on the container of the test, with an answer to its question."""

    def __init__(
        self, command: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._command = command
        self._monkeypatch = monkeypatch
        self._caller = Caller(capsys)

    def __call__(self, container: object, *arguments: str, answer: str = "") -> Told:
        def build(settings: Settings, **_options: object) -> object:
            assert settings.rule_name == "capture-transcripts-rule"
            return container

        self._monkeypatch.setattr(self._command, "build_container", build)
        self._monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        return self._caller(self._command.__name__.rpartition(".")[2], *arguments)


@contextmanager
def calling(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> Iterator[Caller]:
    """Set invented credentials and an endpoint without a server; restore the signal handlers afterwards."""
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/none.db",
        "SPOOL_DIR": str(folder / "spool"),
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    handlers = {each: signal.getsignal(each) for each in STOPPING}
    try:
        yield Caller(capsys)
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
