"""First command on a fresh clone: it names a missing requirement in one line, and announces each download."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def make_with(folder: Path, python: str) -> "subprocess.CompletedProcess[str]":
    """Run `make demo` in a folder without environments, with a Python that first runs this program."""
    for name in ("Makefile", "requirements.uv.txt", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, folder)
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c \'{python}\' "$@"\n', encoding="ascii")
    program.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "demo", f"PYTHON={program}"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.process
@pytest.mark.parametrize(
    ("python", "told"),
    [
        (
            'import sys; sys.modules["ensurepip"] = None; exec(sys.argv[2])',
            "cannot make virtual environments: apt install python3-venv (Debian, Ubuntu), then try again.",
        ),
        (
            'import sys; sys.version, sys.version_info = "3.10.4 (main)", (3, 10, 4); exec(sys.argv[2])',
            "is Python 3.10.4; 3.11 to 3.14 is needed: make demo PYTHON=python3.12",
        ),
    ],
)
def test_what_is_missing_is_told_in_one_line(tmp_path: Path, python: str, told: str) -> None:
    result = make_with(tmp_path, python)

    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == f"{tmp_path}/python {told}"
    assert result.stdout == ""
    assert not (tmp_path / ".uv").exists()


@pytest.mark.process
def test_the_first_line_says_what_is_done_and_how_large_it_is(tmp_path: Path) -> None:
    result = make_with(tmp_path, 'import sys; sys.exit(sys.argv[1:2] == ["-m"] and "no network here")')

    assert result.stdout.splitlines()[0] == "Installing uv into .uv (20 MB, once)"
    assert "no network here" in result.stderr
