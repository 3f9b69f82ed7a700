import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.in_memory import InMemoryEventPublisher
from adapters.noop import NoOpEventPublisher
from bootstrap.choices import EventTransport
from bootstrap.container import Container, build_container, route_checks
from bootstrap.settings import Settings
from domain.model.events.kinds import EventKind
from domain.model.outbox import Published
from domain.services.publishing.outbox_publisher import OutboxPublisher
from tests.support.samples.factories import an_event

Build = Callable[..., Container]


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Build:
    def build(**environ: str) -> Container:
        for name, value in environ.items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        return build_container(Settings.from_env({"DATABASE_URL": f"sqlite:///{tmp_path}/t.db", **environ}))

    return build


@pytest.mark.parametrize(
    ("transport", "adapter"),
    [("eventbridge", OutboxPublisher), ("memory", InMemoryEventPublisher), ("noop", NoOpEventPublisher)],
)
def test_each_transport_has_its_adapter(container: Build, transport: str, adapter: type[object]) -> None:
    assert isinstance(container(EVENT_TRANSPORT=transport).events(), adapter)


def test_auto_publishes_where_credentials_are_found(container: Build) -> None:
    found = container(AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY="secret")

    assert found.event_transport() is EventTransport.EVENTBRIDGE
    assert isinstance(found.events(), OutboxPublisher)


def test_auto_without_credentials_warns_once_and_disables_publishing(
    container: Build, caplog: pytest.LogCaptureFixture
) -> None:
    without = container()

    without.batch_processing()
    without.batch_processing()

    assert without.event_transport() is EventTransport.NOOP
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.message == "event publishing is disabled"
    assert record.__dict__["reason"] == "no AWS credentials were found"


def test_the_start_tells_region_and_bus(container: Build, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    container(EVENT_TRANSPORT="eventbridge", AWS_REGION="eu-west-1", EVENTBRIDGE_BUS_NAME="company").events()

    record, *_ = [record for record in caplog.records if record.name == "adapters.aws.eventbridge.publisher"]
    assert record.levelno == logging.INFO
    assert (record.__dict__["region"], record.__dict__["bus_name"]) == ("eu-west-1", "company")


def test_everything_is_made_once_and_nothing_is_shared_between_containers(container: Build) -> None:
    one, other = container(EVENT_TRANSPORT="memory"), container(EVENT_TRANSPORT="memory")

    assert one.events() is one.events()
    assert one.batch_processing() is one.batch_processing()
    assert one.events() is not other.events()


def test_names_reach_the_route(container: Build) -> None:
    service = container(
        QUEUE_NAME="q", DLQ_NAME="d", RULE_NAME="r", FAILED_QUEUE_NAME="f", EVENTBRIDGE_BUS_NAME="b"
    )
    names, failed = service.completed.names(), service.failed.names()

    assert (names.queue, names.dead_letter_queue, names.rule, names.bus) == ("q", "d", "r", "b")
    assert (failed.queue, failed.bus, failed.kind) == ("f", "b", "failed")
    assert (failed.dead_letter_queue, failed.rule) == ("meeting-failures-dlq", "capture-failures-rule")


def test_each_kind_of_event_has_a_route_that_shares_nothing_but_the_bus(container: Build) -> None:
    routes = container(EVENT_TRANSPORT="eventbridge").routes()

    assert routes[EventKind.COMPLETED].queue() is routes[EventKind.COMPLETED].queue()
    assert routes[EventKind.COMPLETED].queue() is not routes[EventKind.FAILED].queue()


@pytest.mark.parametrize(("days", "kept"), [("0", False), ("0.5", True)])
def test_texts_are_kept_for_as_long_as_the_configuration_says(
    container: Build,
    days: str,
    kept: bool,  # noqa: FBT001 - the example's second half
) -> None:
    outbox = container(OUTBOX_KEEP_DAYS=days).outbox()
    lease = outbox.add(an_event(), lease_seconds=60)
    outbox.record([Published(lease, "receipt")])

    record = outbox.find(lease.interaction_id)

    assert record
    assert (record.event is not None) is kept


@pytest.mark.parametrize(("kinds", "rules"), [("completed", 1), ("completed,failed", 2)])
def test_the_route_of_each_kind_that_is_sent_is_guarded(container: Build, kinds: str, rules: int) -> None:
    service = container(EVENT_KINDS=kinds, EVENT_TRANSPORT="eventbridge")

    assert len(route_checks(service.settings(), service.routes())) == rules
