"""Process reaper: watched groups end with the process that started them."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.handlers import reaper_process
from adapters.handlers.process_reaper import ProcessReaper
from tests.unit.adapters.handlers.test_command import is_gone

pytestmark = pytest.mark.process


@pytest.fixture
def sleeping() -> Iterator["subprocess.Popen[bytes]"]:
    """Start a process group of one process."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def reapers() -> set[int]:
    """Return the process ids of the reapers of this process."""
    return {int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _is_our_reaper(folder)}


def _is_our_reaper(process: Path) -> bool:
    try:
        parent = process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1]
        return (
            int(parent) == os.getpid() and reaper_process.__file__ in process.joinpath("cmdline").read_text()
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def a_reaper() -> tuple[ProcessReaper, int]:
    """Start a reaper; return it with its process id."""
    before = reapers()
    reaper = ProcessReaper()
    (pid,) = reapers() - before
    return reaper, pid


def test_a_watched_group_ends_with_this_process(sleeping: "subprocess.Popen[bytes]") -> None:
    reaper = ProcessReaper()
    reaper.watch(sleeping.pid)

    del reaper

    assert sleeping.wait(120) == -9


def test_a_forgotten_group_is_left_alone(sleeping: "subprocess.Popen[bytes]") -> None:
    reaper = ProcessReaper()
    reaper.watch(sleeping.pid)
    reaper.forget(sleeping.pid)

    del reaper  # waits until the reaper has ended

    assert sleeping.poll() is None


def test_a_group_that_is_gone_already_is_ignored(sleeping: "subprocess.Popen[bytes]") -> None:
    reaper = ProcessReaper()
    with subprocess.Popen(["true"], start_new_session=True) as gone:
        reaper.watch(gone.pid)
    reaper.watch(sleeping.pid)

    del reaper

    assert is_gone(sleeping.pid)


def test_the_signals_that_stop_a_consumer_do_not_end_its_reaper(sleeping: "subprocess.Popen[bytes]") -> None:
    reaper, pid = a_reaper()
    reaper.watch(sleeping.pid)
    os.kill(pid, signal.SIGTERM)

    del reaper

    assert sleeping.wait(120) == -9


def test_a_killed_reaper_is_logged_once_and_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    reaper, pid = a_reaper()
    os.kill(pid, signal.SIGKILL)
    assert is_gone(pid)

    for number in (11, 12):
        reaper.watch(number)
    reaper.forget(11)

    assert caplog.messages == ["process reaper lost, commands keep running if the consumer is killed"]
