"""A service with a double for the engine, and callers of its jobs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bootstrap.container import Container
from entrypoints.api.app import create_app
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.job_api import JobCaller
from tests.support.harness.service import container_for

Service = Callable[..., JobCaller]


@pytest.fixture
def engine() -> FixedTranscriber:
    return FixedTranscriber(capacity=8)


@pytest.fixture
def service(tmp_path: Path, engine: FixedTranscriber) -> Iterator[Service]:
    """Start services on one folder."""
    with ExitStack() as stack:

        def start(container: Container | None = None, **environ: str) -> JobCaller:
            container = container or container_for(tmp_path / "spool", engine, **environ)
            app = create_app(container)
            return JobCaller(stack.enter_context(TestClient(app, raise_server_exceptions=False)))

        yield start


@pytest.fixture
def caller(service: Service) -> JobCaller:
    """A caller of a service with two workers."""
    return service(JOB_WORKERS="2")


@pytest.fixture(scope="module")
def without_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service without a worker, which the tests of a module share."""
    container = container_for(tmp_path_factory.mktemp("jobs") / "spool", FixedTranscriber(), JOB_WORKERS="0")
    with TestClient(create_app(container), raise_server_exceptions=False) as api:
        yield api


@pytest.fixture
def waiting(without_workers: TestClient) -> JobCaller:
    """A caller whose jobs stay queued."""
    return JobCaller(without_workers)
