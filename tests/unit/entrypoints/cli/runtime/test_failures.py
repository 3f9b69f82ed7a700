"""Failures of all commands: one line on stderr, one JSON object on stdout with `--json`, an exit code."""

import errno
import io
import json
import time

import click
import pytest

from domain.model.errors import ConfigurationError, InfrastructureError
from entrypoints.cli.commands import status
from entrypoints.cli.main import COMMANDS
from entrypoints.cli.runtime.failures import CommandInterruptedError, report_failure
from tests.support.aws.silence import silent_endpoint
from tests.support.harness.command_line import PLACE_LINE, Caller, every_command

RECORDING = "entrypoints/cli/recordings/demo.ogg"
INTERACTION = "7f2a1c9e-1b6e-4a50-9a49-0a3e6f5f7d11"

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "consume": ("--exec", "true"),
    "demo": ("/nowhere.ogg",),
    "dlq archive": ("letters",),
    "dlq purge": ("--yes",),
    "dlq redrive": ("--all",),
    "dlq restore": ("letters",),
    "dlq show": ("x",),
    "erase": ("--tenant", INTERACTION, "--yes"),
    "iam-policy": ("publisher",),
    "jobs cancel": (INTERACTION,),
    "jobs export": (INTERACTION,),
    "jobs retry": (INTERACTION,),
    "jobs show": (INTERACTION,),
    "jobs submit": (RECORDING,),
    "jobs watch": (INTERACTION,),
    "keys create": ("--tenant", INTERACTION),
    "keys revoke": ("4f7k2m9x",),
    "keys rotate": ("4f7k2m9x",),
    "outbox prune": ("--older-than", "1", "--yes"),
    "outbox retry": ("--all-rejected",),
    "outbox show": (INTERACTION,),
    "process": (RECORDING,),
    "provision": ("--repair", "--yes"),
    "replay": ("--from", "2026-11-23T18:00:00Z"),
    "replay cancel": ("x",),
    "replay show": ("x",),
    "schema check": ("/nowhere/old.json", "/nowhere/new.json"),
    "teardown": ("--yes",),
}
"""Arguments with which a command reaches its settings, or a failure before them."""

ASKS_AWS = [
    "provision", "teardown", "replay", "replay show", "replay cancel", "verify", "iam-policy",
    "dlq archive", "dlq export", "dlq list", "dlq purge", "dlq redrive", "dlq show",
]  # fmt: skip


EVERY = dict(every_command())


def arguments(name: str) -> tuple[str, ...]:
    return (*name.split(), *ARGUMENTS.get(name, ()))


def test_the_table_names_commands_that_are_there() -> None:
    assert ARGUMENTS.keys() <= EVERY.keys()
    assert {name.split()[0] for name in EVERY} == COMMANDS.keys()


@pytest.mark.parametrize("name", EVERY)
def test_every_command_takes_json(name: str) -> None:
    assert any("--json" in parameter.opts for parameter in EVERY[name].params)


@pytest.mark.parametrize("name", EVERY)
def test_a_wrong_setting_is_one_json_object(name: str, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_TRANSPORT", "eventbrige")

    told = call(*arguments(name), "--json")

    assert told.code == 2
    assert told.error["exit_code"] == 2
    if name not in {"demo", "schema check"}:  # they read no settings of the environment
        assert told.error["type"] == "ConfigurationError"
        assert told.error["detail"].startswith("EVENT_TRANSPORT='eventbrige'")
        assert told.err == f"Error: {told.error['detail']}\n"


@pytest.mark.parametrize("name", EVERY)
def test_an_option_that_does_not_exist_is_one_json_object(name: str, call: Caller) -> None:
    told = call(*arguments(name), "--nonsense", "--json")

    assert told.code == 2
    assert (told.error["type"], told.error["exit_code"]) == ("UsageError", 2)
    assert told.error["detail"].startswith("No such option '--nonsense'.")  # and may propose a similar one
    assert "Usage: transcripts" in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("name", ASKS_AWS)
def test_an_endpoint_out_of_reach_is_one_json_object(name: str, call: Caller) -> None:
    told = call(*arguments(name), "--json")

    assert told.code == told.error["exit_code"] == 1
    assert "EndpointConnectionError" in told.error["detail"]
    assert told.err.removeprefix(PLACE_LINE) == f"Error: {told.error['detail']}\n"


def test_an_error_that_no_command_expects_is_one_json_object_and_a_log_line(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_settings: object, **_options: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(status, "build_container", break_down)

    told = call("status", "--json")

    assert told.code == 1
    assert told.error["type"] == "UnexpectedFailureError"
    assert told.error["detail"] == "unexpected error: KeyError; the log above says where"
    assert "command failed with an unexpected error" in told.err
    assert "break_down" in told.err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["provision", "replay", "verify", "iam-policy", "dlq list", "consume"])
def test_an_endpoint_that_never_answers_is_given_up_after_the_timeout(
    name: str, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent_endpoint() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        began = time.monotonic()
        told = call(*arguments(name), "--timeout", "0.3", "--json")

    assert told.code == told.error["exit_code"] == 1
    assert "ReadTimeoutError" in told.error["detail"]
    assert time.monotonic() - began < 60  # 3 s of pauses between the tries, and verify's own least time


@pytest.mark.parametrize("name", [*ASKS_AWS, "status", "consume", "doctor", "dlq restore"])
def test_every_command_that_asks_aws_takes_a_timeout(name: str) -> None:
    assert any("--timeout" in parameter.opts for parameter in EVERY[name].params)


@pytest.mark.parametrize(
    "name",
    [
        *("outbox list", "outbox show", "outbox retry", "outbox prune"),
        *("keys create", "keys list", "keys revoke", "keys rotate"),
    ],
)
def test_a_database_that_is_not_there_is_one_json_object(name: str, call: Caller) -> None:
    told = call(*arguments(name), "--json")

    assert told.code == told.error["exit_code"] == 2
    assert told.error["detail"].startswith("DATABASE_URL: ")


def test_without_json_stdout_says_nothing(call: Caller) -> None:
    assert call("schema", "check", "/nowhere/old.json", "/nowhere/new.json").out == ""


def test_json_after_a_double_dash_is_a_file_name(call: Caller) -> None:
    assert call("schema", "check", "--", "--json", "x").out == ""


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ConfigurationError("wrong"), "ConfigurationError", 2),
        (InfrastructureError("away"), "InfrastructureError", 1),
        (click.BadParameter("wrong"), "UsageError", 2),
        (click.FileError("letters", "No space left on device"), "FileError", 1),
        (CommandInterruptedError("It was interrupted."), "CommandInterruptedError", 130),
        (click.Abort(), "Declined", 1),
    ],
)
def test_the_exit_code_follows_from_the_error(
    error: Exception, kind: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_failure(error, as_json=True) == code

    told = json.loads(capsys.readouterr().out)["error"]
    assert (told["type"], told["exit_code"]) == (kind, code)


def test_messages_of_others_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report_failure(InfrastructureError("AWS says \x1b[2J\u202e\r\nand more"), as_json=True)

    captured = capsys.readouterr()
    assert captured.err == "Error: AWS says \\x1b[2J\\u202e\\r\nand more\n"
    assert not {"\x1b", "\u202e"} & set(captured.out)


class _Full(io.StringIO):
    def write(self, _text: str, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_stderr_that_takes_nothing_leaves_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", _Full())

    assert report_failure(ConfigurationError("wrong"), as_json=False) == 2
    assert report_failure(click.UsageError("wrong"), as_json=False) == 2
