"""Whoever started groups of processes may die: they do not go on."""

import subprocess
from collections.abc import Iterator

import pytest

from adapters.handlers.process_reaper import ProcessReaper
from tests.unit.adapters.handlers.test_command import is_gone


@pytest.fixture
def sleeping() -> Iterator["subprocess.Popen[bytes]"]:
    """A group of one."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def test_what_is_watched_ends_with_us(sleeping: "subprocess.Popen[bytes]") -> None:
    guard = ProcessReaper()
    guard.watch(sleeping.pid)

    del guard

    assert sleeping.wait(20) == -9


def test_what_is_forgotten_is_left_alone(sleeping: "subprocess.Popen[bytes]") -> None:
    guard = ProcessReaper()
    guard.watch(sleeping.pid)
    guard.forget(sleeping.pid)

    del guard  # waits until the guard has done what it does

    assert sleeping.poll() is None


def test_a_group_that_is_gone_already_is_no_matter(sleeping: "subprocess.Popen[bytes]") -> None:
    guard = ProcessReaper()
    with subprocess.Popen(["true"], start_new_session=True) as gone:
        guard.watch(gone.pid)
    guard.watch(sleeping.pid)

    del guard

    assert is_gone(sleeping.pid)


def test_the_signals_that_stop_a_consumer_do_not_end_its_guard(sleeping: "subprocess.Popen[bytes]") -> None:
    guard = ProcessReaper()
    guard.watch(sleeping.pid)
    guard._process.poll()
    guard._process.terminate()

    del guard

    assert sleeping.wait(20) == -9


def test_a_guard_that_was_killed_is_told_once_and_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    guard = ProcessReaper()
    guard._process.kill()
    guard._process.wait()

    for number in (11, 12):
        guard.watch(number)
    guard.forget(11)

    assert caplog.messages == ["commands are not guarded: they go on if the consumer is killed"]
