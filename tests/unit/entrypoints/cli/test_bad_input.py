"""Arguments that cannot be meant: each is a wrong call, told in one line, and nothing is done."""

import io
import json
import sys

import pytest

from entrypoints.cli.views.output import print_json
from tests.support.harness.command_line import Caller

RECORDING = "entrypoints/cli/recordings/demo.ogg"
MANY_NINES = "9" * 400
V1 = "7f2a1c9e-1b6e-1a50-9a49-0a3e6f5f7d11"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("serve", "--port", "-1"), "-1 is not in the range"),
        (("serve", "--port", MANY_NINES), "is not in the range"),
        (("process", ""), "'' is not a path"),
        (("process", "a\0b"), "'a\\x00b' is not a path"),
        (("process", "/"), "is a directory"),
        (("process", "/nowhere.wav"), "'/nowhere.wav' does not exist"),
        (("process", RECORDING, "--tenant", "acme"), "'acme' is no UUID v4"),
        (("process", RECORDING, "--tenant", V1), "is no UUID v4"),
        (("process", RECORDING, "--tenant", ""), "'' is no UUID v4"),
        (("process", RECORDING, "--user", "a\x1bb"), "printable characters"),
        (("process", RECORDING, "--account", "x" * 300), "at most 256 printable characters"),
        (("provision", "--archive", "-1"), "-1 is not in the range"),
        (("provision", "--archive", "1.5"), "not a valid integer"),
        (("replay", "--from", "2026-11-23T18:00:00"), "has no time zone"),
        (("replay", "--from", "2026-11-23"), "has no time zone"),
        (("replay", "--from", "yesterday"), "is not a time"),
        (("replay", "--from", "9999-12-31T23:59:59-14:00"), "after 9999 in UTC"),
        (("replay", "--from", "2026-11-23T18:00:00Z", "--tenant", "acme"), "not a valid UUID"),
        (("replay", "show", ""), "'' is not a valid name of a replay"),
        (("replay", "cancel", "../x"), "'../x' is not a valid name of a replay"),
        (("replay", "show", "a\x1b[2J\u202e"), "is not a valid name of a replay"),
        (("verify", "--timeout", "nan"), "is not a number"),
        (("verify", "--timeout", "inf"), "inf is not in the range"),
        (("verify", "--timeout", "0"), "0.0 is not in the range"),
        (("verify", "--timeout", "301"), "301.0 is not in the range"),
        (("outbox", "list", "--limit", MANY_NINES), "is not in the range"),
        (("outbox", "show", "a\0b"), "not a valid UUID"),
        (("outbox", "prune", "--older-than", "-1"), "-1 is not in the range"),
        (("jobs", "submit", ""), "'' is not a path"),
        (("jobs", "submit", "a\0b"), "'a\\x00b' is not a path"),
        (("jobs", "list", "--tenant", "acme"), "not a valid UUID"),
        (("jobs", "watch", "a\x1b[2J"), "not a valid UUID"),
        (("consume", "--to", ""), "'' is not a path"),
        (("consume", "--exec", "true", "--handler-timeout", "nan"), "is not a number"),
        (("consume", "--exec", "true", "--retry-delay", "nan"), "is not a number"),
        (("consume", "--exec", "true", "--shutdown-timeout", "nan"), "is not a number"),
        (("consume", "--exec", "true", "--dedup-days", "nan"), "is not a number"),
        (("consume", "--exec", "true", "--group", "a b"), "is not a valid name"),
        (("dlq", "list", "--limit", "0"), "0 is not in the range"),
        (("dlq", "list", "--tenant", "a\0b"), "not a valid UUID"),
        (("dlq", "show", ""), "'' is not a valid id"),
        (("dlq", "redrive", "--id", ""), "'' is not a valid id"),
        (("dlq", "export", "--output", ""), "'' is not a path"),
        (("dlq", "export", "--output", "a\0b"), "is not a path"),
        (("dlq", "archive", ""), "'' is neither a folder nor an S3 address"),
        (("dlq", "restore", "a\0b"), "is neither a folder nor an S3 address"),
        (("dlq", "archive", "gs://bucket/x"), "is not an S3 address"),
        (("dlq", "archive", "S3://bucket/x"), "is not an S3 address"),
        (("schema", "--output", ""), "'' is not a path"),
        (("schema", "check", "", ""), "'' is not a path"),
        (("schema", "check", "/dev/null", "/dev/null"), "/dev/null is empty"),
        (("iam-policy", "publisher", "--account", "12345678901２"), "is not a valid account: 12 digits"),  # noqa: RUF001 - a digit that is none of ours
        (("demo", "/nowhere.ogg"), "does not exist"),
        (("\x1b[2J\u202e",), "No such command"),
    ],
)
def test_it_is_a_wrong_call_that_is_told_in_one_line(
    call: Caller, arguments: tuple[str, ...], complaint: str
) -> None:
    told = call(*arguments)

    assert (told.code, told.out) == (2, "")
    assert complaint in told.err.splitlines()[-1]
    assert told.err.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in told.err
    assert not {"\x1b", "\u202e", "\0"} & set(told.err)


def test_where_nobody_can_answer_nothing_is_done(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    told = call("teardown")

    assert told.code == 2
    assert "Cannot ask for confirmation without input; add --yes. Nothing was done." in told.err


def test_what_stdout_cannot_spell_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)

    print_json({"name": "José 日本"})

    stdout.seek(0)
    assert json.load(stdout) == {"name": "José 日本"}
