"""The watch sees each way in which Python starts a process, and only while it watches."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.harness.process_watch import ProcessWatch

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def watch() -> ProcessWatch:
    """One for all tests: what it wraps stays wrapped."""
    return ProcessWatch()


@pytest.fixture(autouse=True)
def _at_rest(watch: ProcessWatch) -> Iterator[None]:
    yield
    watch.end()


def run() -> None:
    subprocess.run([sys.executable, "--version"], check=True, stdout=subprocess.DEVNULL)


def spawn() -> None:
    program = "/bin/true"
    os.waitpid(os.posix_spawn(program, [program], {}), 0)


def in_a_thread() -> None:
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.parametrize("start", [run, spawn, in_a_thread])
def test_a_process_is_seen(watch: ProcessWatch, start: Callable[[], None]) -> None:
    watch.begin()
    start()

    assert watch.end()


def test_a_process_before_or_after_is_not_seen(watch: ProcessWatch) -> None:
    run()
    watch.begin()
    seen = watch.end()
    run()

    assert seen == watch.end() == []


def test_files_and_imports_are_no_processes(watch: ProcessWatch) -> None:
    watch.begin()
    with open(os.devnull, encoding="utf-8"):  # noqa: PTH123 - the plainest way
        pass

    assert watch.end() == []
