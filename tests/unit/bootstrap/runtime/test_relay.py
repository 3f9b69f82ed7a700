"""What a process says that takes no events to a bus."""

from pathlib import Path

import pytest

from bootstrap.container import build_container
from bootstrap.runtime.relay import relaying
from bootstrap.settings import Settings
from tests.support.samples.factories import an_event


@pytest.mark.parametrize("transport", ["noop", "memory"])
def test_events_that_nobody_delivers_any_more_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, transport: str
) -> None:
    environ = {"DATABASE_URL": f"sqlite:///{tmp_path}/test.db", "EVENT_TRANSPORT": "eventbridge"}
    earlier = build_container(Settings.from_env(environ))
    earlier.outbox().add(an_event())
    earlier.database().close()

    with relaying(build_container(Settings.from_env(environ | {"EVENT_TRANSPORT": transport}))):
        pass

    (record,) = caplog.records
    assert (record.levelname, record.message) == (
        "WARNING",
        "events wait in the outbox, but no bus is configured",
    )
    assert vars(record)["waiting"] == 1
    assert vars(record)["event_transport"] == transport


@pytest.mark.parametrize("file", ["missing.db", "empty.db"])
def test_a_process_without_an_outbox_makes_none_and_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str
) -> None:
    (tmp_path / "empty.db").touch()
    environ = {"DATABASE_URL": f"sqlite:///{tmp_path}/{file}", "EVENT_TRANSPORT": "noop"}

    with relaying(build_container(Settings.from_env(environ))):
        pass

    assert caplog.records == []
    assert not (tmp_path / "missing.db").exists()
