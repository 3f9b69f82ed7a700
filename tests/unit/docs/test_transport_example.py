"""The example of docs/transports.md: a transport in a package of its own, installed, keeps the contract."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.harness.installed_command import PROGRAM, clean_environment

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "examples" / "transport"
UV = ROOT / ".uv" / "bin" / "uv"
GUIDE = ROOT / "docs" / "transports.md"
MOST_LINES = 60

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example into a folder of its own, as pip does with --no-deps."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["-q", "--python", sys.executable, "--no-deps", "--target", str(folder)]
    subprocess.run([str(UV), "pip", "install", *options, str(EXAMPLE)], check=True, timeout=300)
    return folder


def environment(installed: Path, **environ: str) -> dict[str, str]:
    path = os.pathsep.join((str(installed), str(ROOT)))
    return clean_environment(PYTHONPATH=path, EVENT_TRANSPORT="folder", **environ)


def test_the_installed_transport_keeps_the_contract(installed: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", EXAMPLE],
        env=environment(installed),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert "23 passed, 1 skipped" in ran.stdout  # its receiver sees no trace context


def test_a_command_names_the_setting_that_the_transport_lacks(installed: Path) -> None:
    ran = subprocess.run(
        [PROGRAM, "relay", "--json"],
        env=environment(installed),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert ran.returncode == 2
    assert "FOLDER_TRANSPORT_PATH" in ran.stderr


def test_the_adapter_is_as_short_as_the_guide_says() -> None:
    lines = (EXAMPLE / "folder_transport.py").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= MOST_LINES
    assert f"{MOST_LINES} lines" in GUIDE.read_text(encoding="utf-8")
