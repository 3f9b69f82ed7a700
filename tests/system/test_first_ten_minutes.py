"""First section of docs/consumers.md, run literally in a shell in an empty folder."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness.installed_command import PROGRAM, clean_environment
from tests.support.harness.ports import free_port

ROOT = Path(__file__).parents[2]
UNTIL_IT_LISTENS = "until (echo > /dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done"
OR_IT_IS_DELIVERED_NOW = """ | grep 'event published' ||
until transcripts outbox list --json | grep '"waiting": 0,'; do timeout 10 transcripts relay || true; done"""


def steps(port: int) -> str:
    """Return the commands after the download, with a free port, and waits instead of a fixed pause."""
    guide = (ROOT / "docs" / "consumers.md").read_text(encoding="utf-8")
    section = guide.split("\n## ")[1]
    _download, *blocks = re.findall(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    script = "\n".join(blocks).replace("5566", str(port))
    script = script.replace("sleep 5\n", f"{UNTIL_IT_LISTENS.format(port=port)}\n")
    return re.sub(r"^transcripts process .*$", rf"\g<0>{OR_IT_IS_DELIVERED_NOW}", script, flags=re.MULTILINE)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a shell in a folder that looks like a fresh clone; end its processes with it."""
    (tmp_path / "entrypoints").symlink_to(ROOT / "entrypoints")
    programs = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-e"],
        cwd=tmp_path,
        env=clean_environment(PATH=programs, TRANSCRIBER="canned", TRANSCRIBER_WORKERS="1"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    os.killpg(process.pid, 9) if process.poll() is None else None


def test_a_newcomer_gets_from_nothing_to_a_consumer(shell: "subprocess.Popen[str]", tmp_path: Path) -> None:
    out, err = shell.communicate(steps(free_port()), timeout=150)

    assert shell.returncode == 0, err
    folder = tmp_path / "var" / "first-consumer"
    assert len(list(folder.glob("*.json"))) == 2
    assert len(re.findall(r"^[0-9a-f-]{36}: tenant \S+, try 1$", err, re.MULTILINE)) == 2
    assert len(re.findall(r"^[0-9a-f-]{36}: \S+ \S+ \d+ characters$", err, re.MULTILINE)) == 1
    assert len(list(folder.glob("warehouse/tenant_id=*/day=*/*.parquet"))) == 1
    assert err.count("the shop is closed\n") == 3
    assert "1 dead letters" in out
