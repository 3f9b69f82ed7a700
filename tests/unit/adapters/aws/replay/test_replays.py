"""Replays on moto, and with responses that no emulator gives.

moto ignores the rules that a replay is held to, so that is looked at as a document.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.aws.eventbridge.publisher import EventBridgePublisher
from adapters.aws.policy.evaluation import Decision, ServiceRequest, evaluate
from adapters.aws.replay.replays import EventBridgeReplays
from domain.model.errors import InfrastructureError
from domain.model.replays import SETTLE_SECONDS
from domain.model.route.route import RouteNames
from tests.contracts.replay_port import OTHER, TENANT, Archived, ReplayPortContract, everything
from tests.support.aws.routes import Clients, RouteOnAws, moto_clients
from tests.support.samples.factories import an_event

NAMES = RouteNames(bus="orders")


class OnMoto(Archived):
    def __init__(self, clients: Clients) -> None:
        clients.events.create_event_bus(Name=NAMES.bus)
        self.clients = clients
        self.route = RouteOnAws(clients, NAMES)
        assert self.route.infrastructure.provision(archive_days=7).ok
        self.pauses: list[float] = []
        self.later = timedelta(0)
        self.replays = self.replays_over(clients.events)

    def replays_over(self, events: Any) -> EventBridgeReplays:
        return EventBridgeReplays(
            events,
            self.clients.sqs,
            NAMES,
            pause=self.pauses.append,
            now=lambda: datetime.now(UTC) + self.later,
        )

    def publish(self, tenant_id: UUID) -> None:
        events = self.clients.events
        bus = EventBridgePublisher(events, bus_name=NAMES.bus, source=NAMES.source, region="eu-central-1")
        bus.publish(an_event(tenant_id=tenant_id))

    def receive(self) -> list[dict[str, Any]]:
        messages = self.route.queue.receive(10, visibility_timeout=30)
        self.route.queue.delete(messages)
        return [json.loads(message.body) for message in messages]

    def remove_archive(self) -> None:
        self.clients.events.delete_archive(ArchiveName=NAMES.archive)

    def leftovers(self) -> int:
        return len(self.rules())

    def rules(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.clients.events.list_rules(
            EventBusName=NAMES.bus, NamePrefix="capture-transcripts-rule-replay-"
        )["Rules"]
        return found


@pytest.fixture
def archived() -> Iterator[OnMoto]:
    with mock_aws():
        yield OnMoto(moto_clients())


class TestOnMoto(ReplayPortContract):
    @pytest.fixture
    def archived(self, archived: OnMoto) -> Archived:
        return archived


def test_a_replay_of_everything_is_held_to_our_rule(archived: OnMoto) -> None:
    name = archived.replays.start(everything())

    replay = archived.clients.events.describe_replay(ReplayName=name)
    assert replay["Destination"]["FilterArns"] == [archived.route.rule()["Arn"]]
    assert replay["Destination"]["Arn"].endswith("event-bus/orders")
    assert archived.pauses == []


def test_a_replay_of_one_tenant_is_held_to_a_rule_that_takes_nothing_else(archived: OnMoto) -> None:
    archived.publish(TENANT)
    archived.publish(OTHER)
    archived.receive()
    archived.route.remove_target()  # moto would let our rule take the replay's events, too

    name = archived.replays.start(everything(TENANT))
    archived.publish(TENANT)

    (rule,) = archived.rules()
    replay = archived.clients.events.describe_replay(ReplayName=name)
    assert replay["Destination"]["FilterArns"] == [rule["Arn"]]
    assert rule["Name"] == name
    assert json.loads(rule["EventPattern"]) == {
        "source": [NAMES.source],
        "detail-type": ["BatchProcessingCompleted"],
        "detail": {"tenant_id": [str(TENANT)]},
        "replay-name": [name],
    }
    envelopes = archived.receive()
    assert [(e["detail"]["tenant_id"], e["replay-name"]) for e in envelopes] == [(str(TENANT), name)]
    assert archived.pauses == [10.0]


def test_the_rule_of_a_replay_sends_where_ours_does(archived: OnMoto) -> None:
    name = archived.replays.start(everything(TENANT))

    found = archived.clients.events.list_targets_by_rule(Rule=name, EventBusName=NAMES.bus)["Targets"]
    assert found == archived.route.targets()


def test_both_queues_admit_the_rule_of_a_replay_and_no_other_one(archived: OnMoto) -> None:
    archived.replays.start(everything(TENANT))

    (rule,) = archived.rules()
    others = (rule["Arn"].replace("-replay-", "-other-"), rule["Arn"].replace("/orders/", "/"))
    for queue in (NAMES.queue, NAMES.dead_letter_queue):
        found = archived.route.attributes(queue)
        calls = [ServiceRequest("sqs:SendMessage", found["QueueArn"], arn) for arn in (rule["Arn"], *others)]
        answers = [evaluate(found["Policy"], call).decision for call in calls]
        assert answers == [Decision.ALLOWED, Decision.DENIED, Decision.DENIED]


def test_names_of_replays_fit_however_long_the_rules_name_is() -> None:
    names = RouteNames(rule="r" * 64, queue="q" * 80)
    with mock_aws():
        clients = moto_clients()
        RouteOnAws(clients, names).infrastructure.provision(archive_days=0)
        replays = EventBridgeReplays(clients.events, clients.sqs, names, pause=lambda _: None)

        name = replays.start(everything(TENANT))

    assert len(name) == 64
    assert name.startswith("r" * 32 + "-replay-2")


def test_what_has_been_over_for_a_while_is_tidied_away(archived: OnMoto) -> None:
    name = archived.replays.start(everything(TENANT))
    archived.later = timedelta(seconds=SETTLE_SECONDS + 5)

    assert archived.replays.tidy() == (name,)
    assert archived.leftovers() == 0


def test_what_still_runs_is_never_tidied_away(archived: OnMoto) -> None:
    archived.replays.start(everything(TENANT))
    archived.later = timedelta(days=3)
    running = _Answering(archived.clients.events, "describe_replay", {"State": "RUNNING"})

    assert archived.replays_over(running).tidy() == ()
    assert archived.leftovers() == 1


def test_the_rule_of_a_maker_that_died_before_its_replay_goes_after_an_hour(archived: OnMoto) -> None:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    name = f"capture-transcripts-rule-replay-{moment}-0a1b2c3d"
    archived.clients.events.put_rule(Name=name, EventBusName=NAMES.bus, EventPattern='{"source": ["x"]}')

    assert archived.replays.tidy() == ()
    archived.later = timedelta(minutes=61)
    assert archived.replays.tidy() == (name,)


def test_rules_of_others_with_such_a_name_are_left_by_tidying(archived: OnMoto) -> None:
    name = "capture-transcripts-rule-replay-by-hand"
    archived.clients.events.put_rule(Name=name, EventBusName=NAMES.bus, EventPattern='{"source": ["x"]}')
    archived.later = timedelta(days=3)

    assert archived.replays.tidy() == ()


def test_a_teardown_takes_the_rules_of_replays_along(archived: OnMoto) -> None:
    archived.replays.start(everything(TENANT))

    archived.route.infrastructure.remove(force=True)

    assert archived.leftovers() == 0


class _Answering:
    """A client with one operation that responds or fails as the test defines."""

    def __init__(self, client: Any, operation: str, answer: Any) -> None:
        self._client = client
        self._operation = operation
        self._answer = answer
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Any:
        return self._instead if name == self._operation else getattr(self._client, name)

    def _instead(self, **_: Any) -> Any:
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer


def _failing(archived: OnMoto, operation: str, code: str) -> EventBridgeReplays:
    events = archived.clients.events
    error = events.exceptions.from_code(code)({"Error": {"Code": code, "Message": "no"}}, operation)
    assert isinstance(error, ClientError)
    return archived.replays_over(_Answering(events, operation, error))


@pytest.mark.parametrize("operation", ["describe_archive", "put_rule", "put_targets", "start_replay"])
def test_a_missing_permission_names_the_operation_and_leaves_nothing_behind(
    archived: OnMoto, operation: str
) -> None:
    with pytest.raises(InfrastructureError, match=rf"AccessDeniedException at {operation}.*permission"):
        _failing(archived, operation, "AccessDeniedException").start(everything(TENANT))

    assert archived.leftovers() == 0


@pytest.mark.parametrize(
    "interruption",
    [KeyboardInterrupt(), SystemExit(1), MemoryError()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_interrupts_the_beginning_leaves_nothing_behind(
    archived: OnMoto, interruption: BaseException
) -> None:
    replays = archived.replays_over(_Answering(archived.clients.events, "start_replay", interruption))

    with pytest.raises(type(interruption)):
        replays.start(everything(TENANT))

    assert archived.leftovers() == 0


def test_a_beginning_whose_answer_was_lost_is_a_beginning(archived: OnMoto) -> None:
    replays = _failing(archived, "start_replay", "ResourceAlreadyExistsException")

    assert replays.start(everything(TENANT)) == archived.rules()[0]["Name"]


def test_a_queue_that_does_not_admit_replays_is_told_before_anything_is_made(archived: OnMoto) -> None:
    archived.route.set_policy(archived.route.wanted_statement())

    with pytest.raises(InfrastructureError, match=r"does not admit replays.*--archive DAYS --repair"):
        archived.replays.start(everything(TENANT))
    assert archived.leftovers() == 0
    assert archived.replays.start(everything()), "our own rule is still admitted"


def test_a_route_without_its_queue_or_rule_is_told(archived: OnMoto) -> None:
    archived.route.delete_rule()
    with pytest.raises(InfrastructureError, match=r"rule capture-transcripts-rule does not exist.*provision"):
        archived.replays.start(everything())
    archived.route.delete_queue()
    with pytest.raises(
        InfrastructureError, match=r"queue meeting-transcripts-queue does not exist.*provision"
    ):
        archived.replays.start(everything(TENANT))


def test_an_archive_of_another_bus_is_not_replayed(archived: OnMoto) -> None:
    elsewhere = RouteNames(bus="default")
    replays = EventBridgeReplays(archived.clients.events, archived.clients.sqs, elsewhere)

    with pytest.raises(InfrastructureError, match=r"keeps the events of .*orders: correct ARCHIVE_NAME"):
        replays.start(everything())


def test_a_replay_is_cancelled_while_it_runs_and_not_after(archived: OnMoto) -> None:
    name = archived.replays.start(everything())
    cancelling = _Answering(archived.clients.events, "cancel_replay", {"State": "CANCELLING"})
    archived.replays_over(cancelling).cancel(name)

    with pytest.raises(InfrastructureError, match="is not running any more"):
        _failing(archived, "cancel_replay", "IllegalStatusException").cancel(name)
