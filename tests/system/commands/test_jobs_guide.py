"""Examples of docs/jobs.md, run against the real service."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness.installed_command import serving, transcripts
from tests.support.samples.recordings import record, tone

pytestmark = [pytest.mark.slow, pytest.mark.process]

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
TENANT = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
CALLERS = {
    "curl": ["sh", str(EXAMPLES / "jobs.sh")],
    "python": [sys.executable, str(EXAMPLES / "jobs.py")],
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("service")
    with serving(folder, TRANSCRIBER="canned", EVENT_TRANSPORT="noop", DATA_DIR=str(folder)) as (url, _):
        yield url


def run(caller: str, service: str, recording: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    if shutil.which(CALLERS[caller][0]) is None or shutil.which("curl") is None:
        pytest.skip("the program of the example is not installed")
    key = [recording.name] if caller == "curl" else []
    return subprocess.run(
        [*CALLERS[caller], str(recording), *key],
        env={**os.environ, "SERVICE": service, "TENANT": TENANT, **environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("caller", CALLERS)
def test_an_example_sends_a_key(caller: str, tmp_path: Path) -> None:
    recording = record(tmp_path / f"{caller}.wav", tone(3.0))
    settings = {"AUTH": "key", "DATA_DIR": str(tmp_path)}
    with serving(tmp_path, TRANSCRIBER="canned", EVENT_TRANSPORT="noop", **settings) as (url, _):
        database = f"sqlite:///{tmp_path}/transcripts.db"
        key = transcripts("keys", "create", "--tenant", TENANT, DATABASE_URL=database).stdout.strip()
        served, refused = run(caller, url, recording, KEY=key), run(caller, url, recording, KEY="bt_nonsense")

    assert served.returncode == 0, served.stderr
    assert served.stdout
    assert refused.returncode != 0
    assert "401" in refused.stderr


@pytest.mark.parametrize("caller", CALLERS)
def test_an_example_prints_the_transcript_and_finds_its_job_again(
    caller: str, service: str, tmp_path: Path
) -> None:
    recording = record(tmp_path / f"{caller}.wav", tone(6.0))

    first, second = run(caller, service, recording), run(caller, service, recording)

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert first.stdout == second.stdout != ""
    assert first.stderr.splitlines()[0] == second.stderr.splitlines()[0]  # the job
    assert "completed" in first.stderr


@pytest.mark.parametrize("caller", CALLERS)
def test_an_example_ends_with_an_error_where_there_is_no_transcript(
    caller: str, service: str, tmp_path: Path
) -> None:
    (tmp_path / f"{caller}.txt").write_text("this is a letter", encoding="utf-8")

    told = run(caller, service, tmp_path / f"{caller}.txt")

    assert told.returncode != 0
    assert "failed" in told.stderr
