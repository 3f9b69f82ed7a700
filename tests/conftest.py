"""Set-up of every test: asserts that explain themselves, an environment without AWS, marked processes."""

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

from tests.integration import localstack
from tests.integration.localstack import SHARED_FOLDER
from tests.support.harness.dealing import dealt
from tests.support.harness.logs import logging_as_it_was
from tests.support.harness.loopback import spare_loopback_from_proxies
from tests.support.harness.process_watch import ProcessWatch

pytest.register_assert_rewrite("tests.contracts")

settings.register_profile(
    "unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")  # an example may take long on a machine that is busy

# Each session of boto3 would read its models again, for a fifth of a second, and the tests have thousands.
botocore.session.create_loader = cache(botocore.session.create_loader)


UNIT = Path(__file__).parent / "unit"
watch = ProcessWatch()


def _coordinates(config: pytest.Config) -> bool:
    """Return true in the process that is the whole run, or that distributes it to pytest-xdist's workers."""
    return not hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    spare_loopback_from_proxies()
    if _coordinates(config):
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # the shell starts background runs so
            signal.signal(signal.SIGINT, signal.default_int_handler)  # else all commands inherit it
        os.environ[SHARED_FOLDER] = tempfile.mkdtemp(prefix="batch-transcription-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _coordinates(config) and SHARED_FOLDER in os.environ:
        folder = Path(os.environ.pop(SHARED_FOLDER))
        localstack.stop_shared(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not _coordinates(config):
        items[:] = dealt(items, config.workerinput["workercount"])  # type: ignore[attr-defined]  # of pytest-xdist


def pytest_collection_finish() -> None:
    gc.freeze()  # thousands of tests, which stay: the collector need not look at them again and again


def _is_watched(item: pytest.Item) -> bool:
    return item.path.is_relative_to(UNIT) and item.get_closest_marker("process") is None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    # a command that an earlier test ran here may have blocked them, and processes inherit that
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    if _is_watched(item):
        watch.begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a unit test that starts a process, or uses a server, and does not say so by its marker."""
    try:
        result = yield
    finally:
        started = watch.end()  # before fixtures of the session stop what other tests have started
    uses_server = "postgresql" in getattr(item, "fixturenames", ())
    if _is_watched(item) and (started or uses_server):
        pytest.fail(f"mark this test `process`: it starts {started or 'PostgreSQL'}", pytrace=False)
    return result


@pytest.fixture(autouse=True)
def _no_inherited_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the AWS account of the user who runs the tests."""
    for variable in tuple(os.environ):
        if variable.startswith("AWS_"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Restore logging, which commands configure for the whole process."""
    with logging_as_it_was():
        yield
