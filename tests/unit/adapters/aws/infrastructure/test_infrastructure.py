"""The route on moto, and with failures that no emulator produces."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.eventbridge.publisher import EventBridgePublisher
from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from adapters.aws.route.definition import Route
from adapters.aws.route.rules import RuleTarget
from domain.model.errors import InfrastructureError
from domain.model.events.kinds import EventKind
from domain.model.events.sent import StoredEvent
from domain.model.route.route import DEFAULT_ROUTES, RouteComponent, RouteNames
from tests.contracts.event_infrastructure.archive import ArchiveContract
from tests.contracts.event_infrastructure.fixtures import ORDER
from tests.contracts.event_infrastructure.provisioning import ProvisioningContract
from tests.contracts.event_infrastructure.removal import RemovalContract
from tests.contracts.event_infrastructure.repair import RepairContract
from tests.support.aws.routes import Clients, RouteOnAws, moto_clients
from tests.support.samples.factories import a_failure, an_erasure, an_event


@pytest.fixture
def clients() -> Iterator[Clients]:
    with mock_aws():
        yield moto_clients()


class TestOnMotoWithTheDefaultBus(ProvisioningContract):
    @pytest.fixture
    def clients(self, clients: Clients) -> Clients:
        return clients

    @pytest.fixture
    def names(self) -> RouteNames:
        return RouteNames()


class TestUpkeepOnMotoWithTheDefaultBus(RepairContract, ArchiveContract, RemovalContract):
    @pytest.fixture
    def clients(self, clients: Clients) -> Clients:
        return clients

    @pytest.fixture
    def names(self) -> RouteNames:
        return RouteNames()


class TestOnMotoWithABusOfItsOwn(TestOnMotoWithTheDefaultBus):
    @pytest.fixture
    def clients(self, clients: Clients) -> Clients:
        clients.events.create_event_bus(Name="orders")
        return clients

    @pytest.fixture
    def names(self) -> RouteNames:
        return RouteNames(bus="orders")


class TestTheRouteOfFailedEventsOnMoto(ProvisioningContract):
    @pytest.fixture
    def clients(self, clients: Clients) -> Clients:
        return clients

    @pytest.fixture
    def names(self) -> RouteNames:
        return DEFAULT_ROUTES[EventKind.FAILED]


class TestTheRouteOfErasuresOnMoto(ProvisioningContract):
    @pytest.fixture
    def clients(self, clients: Clients) -> Clients:
        return clients

    @pytest.fixture
    def names(self) -> RouteNames:
        return DEFAULT_ROUTES[EventKind.ERASED]


def test_events_of_other_kinds_pass_by_the_queue_of_completed_ones(clients: Clients) -> None:
    completed, *others = routes = [RouteOnAws(clients, DEFAULT_ROUTES[kind]) for kind in EventKind]
    completed.infrastructure.provision()
    before = completed.rule()["EventPattern"], completed.targets(), completed.attributes()["Policy"]
    for other in others:
        other.infrastructure.provision(archive_days=30)
    bus = EventBridgePublisher(
        clients.events, bus_name="default", source="com.yourapp.transcription", region="r"
    )
    events: list[StoredEvent] = [an_event(), a_failure(), an_erasure()]

    bus.publish_all(events)

    assert [ids(route) for route in routes] == [[event.interaction_id] for event in events]
    assert (completed.rule()["EventPattern"], completed.targets(), completed.attributes()["Policy"]) == before


@pytest.mark.parametrize("kind", [EventKind.FAILED, EventKind.ERASED])
def test_the_route_of_another_kind_has_no_archive(clients: Clients, kind: EventKind) -> None:
    route = RouteOnAws(clients, DEFAULT_ROUTES[kind])
    route.infrastructure.provision(archive_days=30)

    parts = [resource.component for resource in route.infrastructure.inspect(archive_days=30).resources]
    removed = route.infrastructure.remove(archive=True)

    assert parts == list(ORDER)
    assert clients.events.list_archives()["Archives"] == []
    assert [each.component for each in removed if each.component is RouteComponent.ARCHIVE] == []


@pytest.mark.parametrize("kind", [EventKind.FAILED, EventKind.ERASED])
def test_the_faults_of_that_route_are_told_with_its_own_names(clients: Clients, kind: EventKind) -> None:
    names = DEFAULT_ROUTES[kind]
    remedies = [finding.remedy for finding in RouteOnAws(clients, names).infrastructure.diagnose()]

    assert f"Run `transcripts provision --kinds {kind}`, or correct {kind.upper()}_RULE_NAME." in remedies
    assert any(f"correct {kind.upper()}_QUEUE_NAME or AWS_REGION" in remedy for remedy in remedies)


def ids(route: RouteOnAws) -> list[UUID]:
    """Receive the events in the queue."""
    bodies = [json.loads(message.body) for message in route.queue.receive(10, visibility_timeout=30)]
    return [UUID(body["detail"]["interaction_id"]) for body in bodies]


def test_the_names_are_the_requirements(clients: Clients) -> None:
    RouteOnAws(clients, RouteNames()).infrastructure.provision()

    queues = clients.sqs.list_queues()["QueueUrls"]
    assert sorted(url.rpartition("/")[2] for url in queues) == [
        "meeting-transcripts-dlq",
        "meeting-transcripts-queue",
    ]
    assert [rule["Name"] for rule in clients.events.list_rules()["Rules"]] == ["capture-transcripts-rule"]


def test_a_long_queue_name_makes_a_target_id_that_eventbridge_takes(clients: Clients) -> None:
    route = RouteOnAws(clients, RouteNames(queue="q" * 80))

    assert route.infrastructure.provision().ok
    assert route.targets()[0]["Id"] == "q" * 64


class _FailsFirst:
    """A client with one operation that fails a few times before it succeeds."""

    def __init__(self, client: Any, operation: str, code: str, times: int) -> None:
        self._client = client
        self._operation = operation
        self._code = code
        self._times = times

    def __getattr__(self, name: str) -> Any:
        if name != self._operation or self._times == 0:
            return getattr(self._client, name)
        self._times -= 1
        return self._fail

    def _fail(self, **_: Any) -> None:
        error = ClientError({"Error": {"Code": self._code, "Message": "secret"}}, self._operation)
        raise self._client.exceptions.from_code(self._code)(error.response, self._operation)


def failing(
    clients: Clients, service: str, operation: str, code: str, *, times: int = 1
) -> tuple[AwsEventInfrastructure, list[float]]:
    """Return an infrastructure with a failing operation, and the list of its pauses."""
    pauses: list[float] = []
    client = _FailsFirst(getattr(clients, service), operation, code, times)
    changed = clients._replace(**{service: client})
    return AwsEventInfrastructure(*changed, RouteNames(), pause=pauses.append), pauses


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("events", "put_rule", "ConcurrentModificationException"),
        ("events", "put_targets", "ConcurrentModificationException"),
        ("sqs", "get_queue_attributes", "QueueDoesNotExist"),
    ],
)
def test_what_passes_by_itself_is_tried_again(
    clients: Clients, service: str, operation: str, code: str
) -> None:
    infrastructure, pauses = failing(clients, service, operation, code, times=2)

    assert infrastructure.provision().ok
    assert pauses == [1.0, 1.0]


def test_what_does_not_pass_ends_in_an_error(clients: Clients) -> None:
    infrastructure, _ = failing(clients, "events", "put_rule", "ConcurrentModificationException", times=99)

    with pytest.raises(InfrastructureError, match=r"the rule capture-transcripts-rule.*Concurrent"):
        infrastructure.provision()


def test_a_queue_that_somebody_else_creates_first_is_an_existing_one(clients: Clients) -> None:
    clients.sqs.create_queue(QueueName="meeting-transcripts-dlq", Attributes={"VisibilityTimeout": "5"})
    infrastructure, _ = failing(clients, "sqs", "get_queue_url", "QueueDoesNotExist")

    provisioning = infrastructure.provision()

    assert provisioning.ok
    assert not provisioning.resources[0].created
    assert [difference.attribute for difference in provisioning.resources[0].differences] == [
        "MessageRetentionPeriod",
        "Policy",
    ]


def test_a_queue_deleted_a_moment_ago_asks_to_wait_60_seconds(clients: Clients) -> None:
    infrastructure, _ = failing(clients, "sqs", "create_queue", "QueueDeletedRecently")

    with pytest.raises(InfrastructureError, match=r"meeting-transcripts-dlq was deleted.*wait 60 seconds"):
        infrastructure.provision()


def test_a_target_that_eventbridge_refuses_is_an_error() -> None:
    clients = moto_clients()
    route = Route(RouteNames(), "arn:aws:events:eu-central-1:1:event-bus/default")
    with Stubber(clients.events) as stubber:
        entry = {"TargetId": "q", "ErrorCode": "LimitExceededException", "ErrorMessage": "five targets"}
        stubber.add_response("list_targets_by_rule", {})
        stubber.add_response("put_targets", {"FailedEntryCount": 1, "FailedEntries": [entry]})

        with pytest.raises(InfrastructureError, match=r"the target .* LimitExceededException at PutTargets"):
            RuleTarget(clients.events, route, lambda _: None).ensure()


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("sqs", "get_queue_url"),
        ("sqs", "create_queue"),
        ("sqs", "get_queue_attributes"),
        ("events", "describe_rule"),
        ("events", "put_rule"),
        ("events", "list_targets_by_rule"),
        ("events", "put_targets"),
    ],
)
def test_a_missing_permission_names_the_part_and_quotes_no_request(
    clients: Clients, service: str, operation: str
) -> None:
    infrastructure, _ = failing(clients, service, operation, "SomethingElse")

    with pytest.raises(InfrastructureError, match=r"(transcripts|capture).* failed: SomethingElse") as caught:
        infrastructure.provision()
    assert "secret" not in str(caught.value)
