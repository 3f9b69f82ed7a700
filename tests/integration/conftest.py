"""Fixtures of tests against LocalStack: its URL, clients, and unique names."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from localstack_client.session import Session

from tests.integration import localstack as ground


class Names(NamedTuple):
    """Resource names of one test, so that tests can run at the same time."""

    bus: str
    rule: str
    queue: str
    dlq: str


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "localstack" in getattr(item, "fixturenames", ()):
            item.add_marker("localstack")


@pytest.fixture(scope="session")
def localstack() -> str:
    """Return the URL of a LocalStack that answers; the same for every process of the test run."""
    try:
        if ground.skip_requested(os.environ):
            pytest.skip("SKIP_LOCALSTACK=1")
        return ground.already_running() or ground.shared(Path(os.environ[ground.SHARED_FOLDER])).url
    except ground.LocalStackMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def aws(localstack: str) -> Callable[..., Any]:
    """Return a maker of clients: `aws("sqs")`, or `aws("sqs", config=Config(…))`."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("AWS_ENDPOINT_URL", localstack)
        client: Callable[..., Any] = Session().client
    return client


@pytest.fixture
def names() -> Names:
    """Return names that no other test uses."""
    suffix = uuid4().hex[:12]
    return Names(f"bus-{suffix}", f"rule-{suffix}", f"queue-{suffix}", f"dlq-{suffix}")
