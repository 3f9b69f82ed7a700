"""`transcripts relay` as a process: it delivers, and ends as a platform expects."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from domain.model.outbox import OutboxState
from entrypoints.cli.main import main
from tests.support.doubles.bus_faults import Latency
from tests.support.doubles.stub_bus import StubBus
from tests.support.harness.installed_command import running
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event

pytestmark = [pytest.mark.slow, pytest.mark.process]

AN_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests",
    "AWS_REGION": "us-east-1",
}


def url_of(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/transcripts.db"


@contextmanager
def an_outbox(tmp_path: Path) -> Iterator[SqlOutbox]:
    database = prepare_database(url_of(tmp_path))
    yield SqlOutbox(database)
    database.close()


def relaying(tmp_path: Path, bus_url: str) -> AbstractContextManager["subprocess.Popen[str]"]:
    own = {"AWS_ENDPOINT_URL": bus_url, "DATABASE_URL": url_of(tmp_path)}
    return running("relay", environ=AN_ACCOUNT | own)


def end(process: "subprocess.Popen[str]", number: signal.Signals = signal.SIGTERM) -> list[dict[str, Any]]:
    """Stop the process, and read its log."""
    process.send_signal(number)
    _, log = process.communicate(timeout=300)
    return [json.loads(line) for line in log.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_waits_is_delivered_and_the_signal_ends_it_with_exit_code_0(
    tmp_path: Path, number: signal.Signals
) -> None:
    with StubBus() as bus, an_outbox(tmp_path) as outbox, relaying(tmp_path, bus.url) as process:
        sent = {str(outbox.add(an_event()).interaction_id) for _ in range(25)}
        wait_until(lambda: outbox.counts().published == 25)
        log = end(process, number)

        accepted = {json.loads(entry["Detail"])["interaction_id"] for entry in bus.accepted}
    assert process.returncode == 0
    assert accepted == sent
    assert len(bus.accepted) == 25
    events = [line["event"] for line in log if line["logger"] == "domain.services.relay.relay"]
    assert (events[0], events[-1]) == ("relay started", "relay stopped")


def test_what_is_in_flight_when_it_is_told_to_stop_is_finished_and_recorded(tmp_path: Path) -> None:
    with StubBus() as bus, an_outbox(tmp_path) as outbox:
        lease = outbox.add(an_event())
        bus.fail_always(Latency(1.0))
        with relaying(tmp_path, bus.url) as process:
            wait_until(lambda: bus.calls)
            end(process)

        record = outbox.find(lease.interaction_id)
    assert process.returncode == 0
    assert len(bus.accepted) == 1
    assert record
    assert record.state is OutboxState.PUBLISHED


def test_a_bus_that_is_away_keeps_the_events_and_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    with an_outbox(tmp_path) as outbox:
        lease = outbox.add(an_event())
        with relaying(tmp_path, f"http://127.0.0.1:{free_port()}") as process:
            wait_until(lambda: _attempts(outbox, lease.interaction_id))
            log = end(process)

        counts = outbox.counts()
    assert process.returncode == 0
    assert (counts.waiting, counts.published) == (1, 0)
    assert "relay paused" in [line["event"] for line in log]


def _attempts(outbox: SqlOutbox, interaction_id: Any) -> int:
    record = outbox.find(interaction_id)
    return record.attempts if record else 0


@pytest.mark.parametrize("transport", ["noop", "memory", "auto"])
def test_without_a_bus_it_refuses_with_exit_code_2_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], transport: str
) -> None:
    monkeypatch.setenv("EVENT_TRANSPORT", transport)
    monkeypatch.setenv("DATABASE_URL", url_of(tmp_path))

    with pytest.raises(SystemExit) as ended:
        main(["relay"])

    assert ended.value.code == 2
    assert f"Error: EVENT_TRANSPORT={transport} leaves nothing to relay: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
