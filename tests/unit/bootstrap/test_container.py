import logging
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from adapters.aws.diagnosis.bus import BusDiagnosis
from adapters.aws.diagnosis.topic import TopicDiagnosis
from adapters.aws.eventbridge.publisher import EventBridgePublisher
from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from adapters.aws.infrastructure.topics import SnsEventInfrastructure
from adapters.aws.sns.publisher import SnsPublisher
from adapters.in_memory import InMemoryEventPublisher
from adapters.noop import NoOpEventPublisher
from bootstrap.choices import EventTransport
from bootstrap.container import Container, build_container
from bootstrap.factories.events import route_checks
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError, EventTooLargeError
from domain.model.events.kinds import EventKind
from domain.model.outbox import Published
from domain.services.publishing.outbox_publisher import OutboxPublisher
from tests.support.samples.factories import an_event

Build = Callable[..., Container]

AN_ACCOUNT = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


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
    [
        ("eventbridge", OutboxPublisher),
        ("sns", OutboxPublisher),
        ("memory", InMemoryEventPublisher),
        ("noop", NoOpEventPublisher),
    ],
)
def test_each_transport_has_its_adapter(container: Build, transport: str, adapter: type[object]) -> None:
    assert isinstance(container(EVENT_TRANSPORT=transport).events(), adapter)


def test_auto_publishes_where_credentials_are_found(container: Build) -> None:
    found = container(AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY="secret")

    assert found.event_transport() == EventTransport.EVENTBRIDGE
    assert isinstance(found.events(), OutboxPublisher)


def test_auto_without_credentials_warns_once_and_disables_publishing(
    container: Build, caplog: pytest.LogCaptureFixture
) -> None:
    without = container()

    without.batch_processing()
    without.batch_processing()

    assert without.event_transport() == EventTransport.NOOP
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
    names, failed = service.completed.names(), service.settings().routes[EventKind.FAILED]

    assert (names.queue, names.dead_letter_queue, names.rule, names.bus) == ("q", "d", "r", "b")
    assert (failed.queue, failed.bus, failed.kind) == ("f", "b", "failed")
    assert (failed.dead_letter_queue, failed.rule) == ("meeting-failures-dlq", "capture-failures-rule")


def test_each_kind_of_event_has_a_route_that_shares_nothing_but_the_bus(container: Build) -> None:
    routes = container(EVENT_TRANSPORT="eventbridge").routes()

    assert routes[EventKind.COMPLETED].queue() is routes[EventKind.COMPLETED].queue()
    assert list(routes) == list(EventKind)
    assert len({id(route.queue()) for route in routes.values()}) == len(EventKind)
    assert [route.names().kind for route in routes.values()] == list(EventKind)


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


@pytest.mark.parametrize(
    ("kinds", "rules"), [("completed", 1), ("completed,failed", 2), ("completed,failed,erased", 3)]
)
def test_the_route_of_each_kind_that_is_sent_is_guarded(container: Build, kinds: str, rules: int) -> None:
    service = container(EVENT_KINDS=kinds, EVENT_TRANSPORT="eventbridge")

    assert len(route_checks(service.settings(), service.event_transport(), service.routes())) == rules


@pytest.mark.parametrize("texts", ["inline", "reference"])
def test_texts_leave_with_their_event_or_beside_it_by_every_sender(container: Build, texts: str) -> None:
    with mock_aws():
        service = container(EVENT_TEXTS=texts, PAYLOAD_BUCKET="a-bucket", EVENT_TRANSPORT="eventbridge")
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="a-bucket")
        events = [an_event(), an_event()]
        for sender, event in zip((service.sender(), service.patient_sender()), events, strict=True):
            sender.publish(event)
        stored = boto3.client("s3", region_name="us-east-1").list_objects_v2(Bucket="a-bucket")["KeyCount"]

    assert stored == (2 if texts == "reference" else 0)


@pytest.mark.parametrize(
    ("transport", "publisher", "infrastructure", "check"),
    [
        ("eventbridge", EventBridgePublisher, AwsEventInfrastructure, BusDiagnosis),
        ("sns", SnsPublisher, SnsEventInfrastructure, TopicDiagnosis),
    ],
)
def test_the_route_is_that_of_the_transport(
    container: Build,
    transport: str,
    publisher: type[object],
    infrastructure: type[object],
    check: type[object],
) -> None:
    service = container(EVENT_TRANSPORT=transport, **AN_ACCOUNT)

    for route in service.routes().values():
        assert isinstance(route.infrastructure(), infrastructure)
        assert isinstance(route.feed_diagnosis(), check)
        assert isinstance(route.verification()._events, publisher)
    for sender in (service.sender(), service.patient_sender()):
        assert isinstance(sender._events, publisher)


@pytest.mark.parametrize("transport", ["memory", "noop"])
def test_a_transport_without_a_route_has_none_to_guard(container: Build, transport: str) -> None:
    service = container(EVENT_TRANSPORT=transport)

    assert route_checks(service.settings(), service.event_transport(), service.routes()) == []


def test_sns_has_no_archive_and_nothing_to_replay(container: Build) -> None:
    service = container(EVENT_TRANSPORT="sns", **AN_ACCOUNT)

    assert {names.archive for names in service.settings().routes.values()} == {""}
    with pytest.raises(ConfigurationError, match="SNS keeps no events"):
        service.replays()


def test_messages_to_a_topic_have_a_limit_of_their_own(container: Build) -> None:
    service = container(EVENT_TRANSPORT="sns", SNS_MAX_BYTES="1000", **AN_ACCOUNT)

    (outcome,) = service.sender()._events.publish_all([an_event(raw_transcript="x" * 1000)])

    assert isinstance(outcome, EventTooLargeError)
