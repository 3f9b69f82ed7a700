"""The service on LocalStack, and people with browsers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from bootstrap.container import Container, build_container
from bootstrap.settings import Settings
from tests.support.harness.browser import Person, running_browser
from tests.support.harness.installed_command import serving

QUIET = {"LOG_LEVEL": "WARNING"}
"""Setting of a service whose log no test reads: a pipe that is full would stop it."""


class Site(NamedTuple):
    """A running service with its route, and access to it from outside."""

    url: str
    container: Container  # another one on the same settings
    archive: Path

    def dead_letter(self, body: str) -> str:
        """Send a dead letter, and return its id."""
        sqs, name = self.container.queues(), self.container.settings().dlq_name
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        message_id: str = sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]
        return message_id


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one file.

    Not for the whole session: Playwright leaves its event loop running in this thread until it is stopped,
    and tests that come afterwards in the same process run loops of their own.
    """
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def environ(localstack: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings of a service whose events go to LocalStack, and whose recordings are kept."""
    suffix, folder = uuid4().hex[:12], tmp_path_factory.mktemp("console")
    return {
        "AWS_ENDPOINT_URL": localstack,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "EVENT_TRANSPORT": "eventbridge",
        "EVENT_SOURCE": f"com.test.{suffix}",
        "RULE_NAME": f"rule-{suffix}",
        "QUEUE_NAME": f"queue-{suffix}",
        "DLQ_NAME": f"dlq-{suffix}",
        "DLQ_ARCHIVE": str(folder / "letters"),
        "DATABASE_URL": f"sqlite:///{folder}/transcripts.db",
        "DATA_DIR": str(folder),
        "RECORDING_KEEP_DAYS": "1",
        **QUIET,
    }


@pytest.fixture(scope="module")
def site(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        container = build_container(Settings.from_env(environ))
        container.completed.infrastructure().provision()
        with serving(tmp_path_factory.mktemp("service"), **environ) as (url, _):
            yield Site(url, container, Path(environ["DLQ_ARCHIVE"]))
    container.database().close()


@pytest.fixture
def own(environ: dict[str, str], site: Site, tmp_path: Path) -> dict[str, str]:
    """Settings of a service of the test's own, on the route of the others."""
    assert site.url  # the route is there
    return {**environ, "DATABASE_URL": f"sqlite:///{tmp_path}/own.db", "DATA_DIR": str(tmp_path)}


@pytest.fixture
def people(browser: Browser) -> Iterator[Callable[[str], Person]]:
    """Make persons at a console; none of their pages may break the policy of contents, or fail."""
    with ExitStack() as stack:
        made: list[Person] = []

        def make(url: str, **options: Any) -> Person:
            context = stack.enter_context(browser.new_context(**options))
            made.append(Person(context, url))
            return made[-1]

        yield make
        for person in made:
            person.check()


@pytest.fixture
def person(people: Callable[[str], Person], site: Site) -> Person:
    return people(site.url)
