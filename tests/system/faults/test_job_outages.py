"""Jobs whose database, disk or store of recordings fails in the middle: each accepted one ends once."""

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import select

from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.tables import jobs as rows
from bootstrap.factories.database import prepare_database
from domain.model.events.sent import sent_event
from tests.support.aws.s3_clients import a_client
from tests.support.brokers.workers import WorkSite
from tests.support.databases.databases import PostgreSqlServer, own_postgresql_server
from tests.support.doubles.stub_bus import StubBus
from tests.support.faults import failing_disk
from tests.support.faults.checker import PromiseLog
from tests.support.faults.ended_jobs import judge_jobs, unfinished
from tests.support.faults.failing_disk import DiskFault
from tests.support.faults.held_engine import HeldEngine, held_engine, long_speech
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import Server
from tests.support.faults.submitters import Submitters
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until
from tests.support.samples.recordings import Samples, record, speech

pytestmark = [pytest.mark.slow, pytest.mark.process]

NewServer = Callable[..., Server]
DISK_BYTES = 64 * 2**20


@pytest.fixture
def engine() -> Iterator[HeldEngine]:
    with held_engine() as engine:
        yield engine


@pytest.fixture
def postgresql() -> Iterator[PostgreSqlServer]:
    with own_postgresql_server() as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, postgresql: PostgreSqlServer, bus: StubBus) -> Iterator[WorkSite]:
    """Provide workers on a PostgreSQL that the test restarts."""
    site = WorkSite(
        tmp_path,
        None,
        DATABASE_URL=postgresql.new_url(),
        AWS_ENDPOINT_URL=bus.url,
        EVENT_KINDS="completed,failed",
        RECORDING_STORE=str(tmp_path / "recordings"),
        JOB_WORKERS="1",
    )
    yield site
    site.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small file system, which a test may fill."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("needs the permission to mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def s3() -> Iterator[ThreadedMotoServer]:
    """Run a store that a test may stop and start again, with its objects."""
    server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    server.start()
    yield server
    with contextlib.suppress(Exception):  # a test has stopped it
        server.stop()


def a_wav(folder: Path, samples: Samples) -> bytes:
    return record(folder / "a.wav", samples).read_bytes()


def ends_of(bus: StubBus) -> set[tuple[str | None, str]]:
    """Return the terminal events as an idempotent consumer sees them."""
    events = [sent_event(entry["Detail"]) for entry in bus.accepted]
    return {(str(event.interaction_id), event.status) for event in events}


def states(database_url: str) -> dict[str, str]:
    database = prepare_database(database_url)
    with database.engine.connect() as connection:
        found = {str(row.id): row.state for row in connection.execute(select(rows.c.id, rows.c.state))}
    database.close()
    return found


def in_state(database_url: str, job_id: str | None, state: str) -> str:
    assert job_id is not None, "it was not accepted"
    wait_until(lambda: states(database_url)[job_id] == state)
    return job_id


@pytest.mark.exhaustive
def test_a_postgresql_that_restarts_under_server_and_workers_costs_no_job_in_any_state(
    bus: StubBus,
    promises: PromiseLog,
    new_server: NewServer,
    site: WorkSite,
    tmp_path: Path,
    postgresql: PostgreSqlServer,
    engine: HeldEngine,
) -> None:
    url = site.environ["DATABASE_URL"]
    shared = {
        name: site.environ[name] for name in ("DATABASE_URL", "EVENT_KINDS", "RECORDING_STORE", "JOB_QUEUE")
    }
    server = new_server(**shared, JOB_WORKERS="0")
    callers = Submitters(a_wav(tmp_path, speech()), promises)
    first = site.worker()
    completed = in_state(url, callers.submit(server.url), "completed")
    failed = in_state(url, Submitters(b"no recording", promises).submit(server.url), "failed")
    assert first.stop() == 0
    site.worker(**engine.environ)
    processing = in_state(url, callers.submit(server.url), "processing")
    wait_until(lambda: engine.asked)
    cancelled, queued = (str(callers.submit(server.url)) for _ in range(2))
    callers.cancel(server.url, cancelled)

    for _ in range(2):
        postgresql.restart_at_once()
        callers.submit(server.url)  # which may be refused
    seen = states(url)
    engine.release()
    wait_until(lambda: not unfinished(url))
    server.kill()
    drain(url, bus.url)

    ends = {completed: "completed", failed: "failed", cancelled: "cancelled"}
    assert seen.items() >= (ends | {processing: "processing", queued: "queued"}).items()
    assert states(url).items() >= (ends | {processing: "completed", queued: "completed"}).items()
    check = judge_jobs(promises.ids(), bus.accepted)
    assert (check.without_event, check.with_several) == (frozenset(), frozenset())
    assert {UUID(job_id) for job_id in states(url)} == {
        sent_event(entry["Detail"]).interaction_id for entry in bus.accepted
    }


@pytest.mark.skipif(not failing_disk.is_possible_here(), reason="needs seccomp user notification")
def test_a_disk_that_is_full_while_units_and_the_end_are_stored_delays_the_job(
    bus: StubBus,
    promises: PromiseLog,
    new_server: NewServer,
    database_url: str,
    tmp_path: Path,
    engine: HeldEngine,
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    program = (sys.executable, "-m", "tests.support.faults.failing_disk", str(disk))
    server = new_server(program, RECORDING_STORE=str(tmp_path / "recordings"), **engine.environ)
    job = Submitters(a_wav(tmp_path, long_speech()), promises).submit(server.url)
    wait_until(lambda: engine.asked == 1)

    (disk / DiskFault.FULL).touch()
    engine.let_go(1)
    wait_until(lambda: "progress of a job not written yet" in server.log)
    engine.release()
    time.sleep(2)  # the job ends meanwhile, and its end cannot be stored
    assert unfinished(database_url) == 1
    (disk / DiskFault.FULL).unlink()

    in_state(database_url, job, "completed")
    server.kill()
    drain(database_url, bus.url)
    assert ends_of(bus) == {(job, "completed")}


def test_a_disk_that_is_full_during_uploads_accepts_none_and_works_on_afterwards(
    small_disk: Path, bus: StubBus, promises: PromiseLog, new_server: NewServer, tmp_path: Path
) -> None:
    url = f"sqlite:///{small_disk}/transcripts.db"
    server = new_server(
        DATABASE_URL=url, DATA_DIR=str(small_disk), SPOOL_DIR=str(small_disk / "spool"), MIN_FREE_BYTES="1"
    )
    callers = Submitters(a_wav(tmp_path, long_speech()), promises)
    before = callers.submit(server.url)
    in_state(url, before, "completed")

    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 2**20))  # less than the recording
    refused = [callers.submit(server.url) for _ in range(3)]
    filler.unlink()
    after = callers.submit(server.url)
    in_state(url, after, "completed")
    server.kill()
    drain(url, bus.url)

    assert refused == [None] * 3
    assert set(callers.answers) <= {202, 503, 507}
    assert ends_of(bus) == {(before, "completed"), (after, "completed")}


@pytest.mark.exhaustive
def test_an_s3_that_goes_away_in_the_middle_delays_accepted_jobs_and_accepts_no_other(
    s3: ThreadedMotoServer,
    promises: PromiseLog,
    new_server: NewServer,
    database_url: str,
    tmp_path: Path,
    engine: HeldEngine,
) -> None:
    host, port = s3.get_host_and_port()
    s3_url = f"http://{host}:{port}"
    a_client(s3_url).create_bucket(Bucket="calls")
    server = new_server(
        RECORDING_STORE="s3://calls/jobs",
        AWS_ENDPOINT_URL=s3_url,  # where no bus is: events stay in the outbox
        DATA_DIR=str(tmp_path / "data"),
        JOB_WORKERS="1",
        **engine.environ,
    )
    callers = Submitters(a_wav(tmp_path, speech()), promises)
    processing = callers.submit(server.url)
    wait_until(lambda: engine.asked)
    queued = callers.submit(server.url)

    s3.stop()
    refused = callers.submit(server.url)
    engine.release()
    in_state(database_url, processing, "completed")
    wait_until(lambda: "try of a job failed" in server.log)
    again = ThreadedMotoServer(host, port, verbose=False)
    again.start()
    try:
        in_state(database_url, queued, "completed")
        assert callers.submit(server.url) is not None
        wait_until(lambda: not unfinished(database_url))
    finally:
        server.kill()
        again.stop()

    assert refused is None
    assert callers.answers == {202: 3, 503: 1}
    database = prepare_database(database_url)
    events = [each.interaction_id for each in SqlOutbox(database).records()]
    database.close()
    assert sorted(events) == sorted(promises.ids())
