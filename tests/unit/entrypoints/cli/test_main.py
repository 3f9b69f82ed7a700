import json
import subprocess
import sys
from pathlib import Path

import pytest

from entrypoints.cli.main import COMMANDS, cli
from entrypoints.cli.views.output import print_json
from tests.support.harness.installed_command import transcripts

pytestmark = pytest.mark.process


def test_help_lists_every_command_with_what_it_does() -> None:
    result = transcripts("--help")

    assert result.returncode == 0
    assert all(name in result.stdout for name in COMMANDS)


SLOW = {
    *("alembic", "av", "boto3", "botocore", "dependency_injector", "fastapi", "moto", "numpy"),
    *(
        "ctranslate2",
        "faster_whisper",
        "huggingface_hub",
        "onnxruntime",
        "openai",
        "psycopg",
        "pyarrow",
        "pysqlite3",
        "rich",
        "sqlalchemy",
        "sqlite3",
        "starlette",
    ),
    *(
        "structlog",
        "urllib3",
        "uvicorn",
        "bootstrap.container",
        "adapters.aws.errors",
        "adapters.speech.workers.supervision",
    ),
}
"""Modules that no `--help` may import."""

IMPORTED_BY_HELP = """
import contextlib, io, json, sys
import click
from entrypoints.cli.main import cli, main

def help_of(command, *path):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main([*path, "--help"])
    yield " ".join(path), list(sys.modules)
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                yield from help_of(command.get_command(context, name), *path, name)

print(json.dumps(dict(help_of(cli))))
"""


def test_no_help_of_a_command_imports_what_the_command_works_with() -> None:
    result = subprocess.run(
        [sys.executable, "-c", IMPORTED_BY_HELP], capture_output=True, text=True, check=True
    )

    imported: dict[str, list[str]] = json.loads(result.stdout)
    assert {"", *COMMANDS, "dlq list", "schema check"} <= imported.keys()
    assert "pydantic" not in imported[""]
    assert {command: found for command, names in imported.items() if (found := SLOW & set(names))} == {}


def test_every_command_is_documented() -> None:
    readme = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")

    assert [name for name in COMMANDS if f"transcripts {name}" not in readme] == []


def test_a_command_that_does_not_exist_is_a_usage_error() -> None:
    result = transcripts("transcribe")

    assert result.returncode == 2
    assert "No such command" in result.stderr


def test_the_version_is_the_packages() -> None:
    assert "0.1.0" in transcripts("--version").stdout


def test_an_environment_file_is_read_but_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("EVENT_TRANSPORT=carrier-pigeon\nCLEANER=soap\n", encoding="utf-8")

    result = transcripts("provision", CLEANER="rules")

    assert result.returncode == 2
    assert "EVENT_TRANSPORT='carrier-pigeon'" in result.stderr
    assert "CLEANER" not in result.stderr


def test_without_a_command_the_help_is_shown() -> None:
    assert cli.get_short_help_str()
    assert transcripts().returncode == 2


def test_json_cannot_steer_a_terminal_and_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"reason": "a\x1b[2Jb\x9bc\u202ed\x7fe", "name": "José 日本"}

    print_json(value)

    output = capsys.readouterr().out
    assert json.loads(output) == value
    assert not any(character in output for character in "\x1b\x9b\u202e\x7f")
    assert "José 日本" in output
