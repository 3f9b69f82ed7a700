"""`transcripts erase` killed at each step, and repeated: everything is erased, once."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.sql.erasures.erasures import SqlErasures
from adapters.sql.idempotency import SqlIdempotency
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from domain.model.erasures import ErasureQuery
from domain.model.idempotency import Answer, Reservation
from domain.model.identity import Interaction
from domain.model.jobs import StoredRecording
from tests.support.faults.erasing import AFTER, BEFORE, COMMIT, STEPS
from tests.support.harness.cases import typical_first
from tests.support.harness.installed_command import clean_environment, transcripts
from tests.support.samples.jobs import QUEUE, a_result, an_order, completed

pytestmark = [pytest.mark.process, pytest.mark.slow]

JOBS = 3
MARKER = "xylophone at midnight"
TENANT = uuid4()
MOMENTS = [(step, moment) for step in STEPS for moment in (BEFORE, COMMIT, AFTER)]
TYPICAL = [("rows", COMMIT), ("recording", BEFORE)]


def fill(folder: Path, url: str) -> None:
    """Store jobs with recordings, transcripts, events and answers, all of which hold the marker."""
    database = prepare_database(url)
    jobs, keys = SqlJobs(database), SqlIdempotency(database)
    (folder / "recordings").mkdir()
    for _ in range(JOBS):
        key = f"{uuid4().hex}-{uuid4().hex}"
        (folder / "recordings" / key).write_text(MARKER)
        jobs.add(an_order(tenant_id=TENANT, recording=StoredRecording(key, "0" * 64, 5)))
        (lease,) = jobs.claim([QUEUE], limit=1, lease_seconds=60)
        result = a_result(MARKER, MARKER)
        assert jobs.complete(lease, result, completed(lease.job, result))
        reservation = keys.begin(uuid4(), "key", "recording", lease_seconds=60)
        assert isinstance(reservation, Reservation)
        keys.finish(reservation, Answer(MARKER, Interaction(lease.job.id, TENANT, "user-7")))
    database.close()


def files_with_the_marker(folder: Path) -> set[str]:
    return {
        file.name for file in folder.rglob("*") if file.is_file() and MARKER.encode() in file.read_bytes()
    }


@pytest.mark.parametrize(("step", "moment"), typical_first(MOMENTS, typical=TYPICAL))
def test_an_erasure_that_was_killed_is_completed_by_repeating_it(
    tmp_path: Path, step: str, moment: str
) -> None:
    url = f"sqlite:///{tmp_path}/transcripts.db"
    environ = {"DATABASE_URL": url, "DATA_DIR": str(tmp_path), "EVENT_TRANSPORT": "noop"}
    fill(tmp_path, url)
    assert len(files_with_the_marker(tmp_path)) > JOBS
    erase = ("erase", "--tenant", str(TENANT), "--yes", "--json")

    killed = subprocess.run(
        [sys.executable, "-m", "tests.support.faults.erasing", step, moment, *erase],
        env=clean_environment(**environ),
        capture_output=True,
        timeout=300,
        check=False,
    )
    repeated = transcripts(*erase, **environ)

    if (step, moment) != ("recording", COMMIT):  # a file has no COMMIT
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert repeated.returncode == 0, repeated.stderr
    assert json.loads(repeated.stdout)["ok"]
    assert files_with_the_marker(tmp_path) == set()
    assert list((tmp_path / "recordings").iterdir()) == []
    database = prepare_database(url)
    assert SqlErasures(database).pending(10) == ()
    assert SqlErasures(database).find(ErasureQuery(tenant_id=TENANT), limit=10) == ()
    assert SqlOutbox(database).records() == ()
    database.close()
