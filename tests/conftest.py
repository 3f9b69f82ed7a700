"""What every test shares: asserts that explain themselves, and an environment without AWS."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.integration import localstack
from tests.integration.localstack import SHARED_FOLDER
from tests.support.harness.logs import logging_as_it_was
from tests.support.harness.loopback import spare_loopback_from_proxies

pytest.register_assert_rewrite("tests.contracts")

settings.register_profile(
    "unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")  # an example may take long on a machine that is busy


def _coordinates(config: pytest.Config) -> bool:
    """Whether this process is the whole run, or the one that hands work to pytest-xdist's workers."""
    return not hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    spare_loopback_from_proxies()
    if _coordinates(config):
        os.environ[SHARED_FOLDER] = tempfile.mkdtemp(prefix="batch-transcription-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _coordinates(config) and SHARED_FOLDER in os.environ:
        folder = Path(os.environ.pop(SHARED_FOLDER))
        localstack.stop_shared(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_inherited_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither find nor use the account of whoever runs them."""
    for variable in tuple(os.environ):
        if variable.startswith("AWS_"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands configure logging for their process, which here is everybody's."""
    with logging_as_it_was():
        yield
