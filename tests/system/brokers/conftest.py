"""Fixtures of tests on brokers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.brokers.brokers import RABBITMQ, REDIS, Broker, running
from tests.support.brokers.workers import WorkSite
from tests.support.faults.servers import CREDENTIALS

SQS = "sqs"
BROKERS = (
    REDIS,
    pytest.param(RABBITMQ, marks=pytest.mark.exhaustive),
    pytest.param(SQS, marks=[pytest.mark.localstack, pytest.mark.exhaustive]),
)


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(REDIS, tmp_path_factory.mktemp("redis")) as broker:
        yield broker.url


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(RABBITMQ, tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker.url


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Redis that the test may stop."""
    with running(REDIS, tmp_path_factory.mktemp("redis"), own=True) as broker:
        yield broker


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Callable[..., WorkSite]]:
    """Return a maker of sites whose processes end with the test."""
    sites: list[WorkSite] = []

    def make(broker: str | None, **environ: str) -> WorkSite:
        sites.append(WorkSite(tmp_path, broker, **environ))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site_on(
    request: pytest.FixtureRequest, new_site: Callable[..., WorkSite], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., WorkSite]:
    """Return a maker of sites by the name of their broker."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)  # the bell of this process finds them as boto3 does

    def make(kind: str, **environ: str) -> WorkSite:
        if kind != SQS:
            return new_site(request.getfixturevalue(kind), **environ)
        return new_site("sqs://", AWS_ENDPOINT_URL=request.getfixturevalue("localstack"), **environ)

    return make
