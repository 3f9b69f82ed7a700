"""`.env`, as editors and operators leave it behind."""

import os
from pathlib import Path

import pytest

from domain.model.errors import ConfigurationError
from entrypoints.cli.runtime.environment_file import load_environment_file
from tests.support.harness.installed_command import transcripts


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_a_file_in_utf_8_is_read(tmp_path: Path, start: bytes) -> None:
    (tmp_path / ".env").write_bytes(start + "QUEUE_NAME=a\nMOCK_USER_ID=Zoë\n".encode())

    load_environment_file(tmp_path / ".env")

    assert (os.environ["QUEUE_NAME"], os.environ["MOCK_USER_ID"]) == ("a", "Zoë")


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    load_environment_file(tmp_path / ".env")
    (tmp_path / ".env").mkdir()
    load_environment_file(tmp_path / ".env")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("A=secret\n".encode("utf-16"), r"\.env is not UTF-8 \(line 1\): save it as UTF-8"),
        ("A=secret\n".encode("utf-16-le"), r"\.env contains zero bytes, as UTF-16 does: save it as UTF-8"),
        ("A=1\nB=Zo\xeb secret\n".encode("latin-1"), r"\.env is not UTF-8 \(line 2\): save it as UTF-8"),
    ],
)
def test_a_file_in_another_encoding_is_refused_and_not_quoted(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(ConfigurationError, match=problem) as refusal:
        load_environment_file(tmp_path / ".env")

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("A=1\nB secret\nC=3\n", "2"),
        ("A='secret\n\nB=2\n", "1"),
        ("# x\nA=1\n=secret\n'secret\n", "3, 4"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_not_quoted(tmp_path: Path, content: str, lines: str) -> None:
    (tmp_path / ".env").write_text(content, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=rf"\.env cannot be read in line {lines}: ") as refusal:
        load_environment_file(tmp_path / ".env")

    assert "secret" not in str(refusal.value)


def test_an_unreadable_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    (tmp_path / ".env").touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything

    with pytest.raises(ConfigurationError, match=r"\.env cannot be read: Permission denied"):
        load_environment_file(tmp_path / ".env")


@pytest.mark.process
def test_a_blank_variable_of_aws_counts_as_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("AWS_PROFILE=\nAWS_ACCESS_KEY_ID=\n", encoding="utf-8")

    result = transcripts("doctor", AWS_SESSION_TOKEN=" ")

    assert "AWS_PROFILE" not in result.stdout + result.stderr
    assert "none found" in result.stdout


@pytest.mark.process
def test_the_command_ends_with_2_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes("QUEUE_NAME=a\n".encode("utf-16"))

    result = transcripts("status", "--json")

    assert result.returncode == 2
    assert result.stderr == "Error: .env is not UTF-8 (line 1): save it as UTF-8.\n"
    assert '"ok": false' in result.stdout
