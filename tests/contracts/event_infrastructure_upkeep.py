"""What looking into, mending and removing a route does, whichever AWS answers
(`ports/event_infrastructure_port.py`).
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from domain.model.errors import InfrastructureError
from domain.model.route.route import Drift, RouteComponent, RouteNames
from domain.model.route.status import Action, PlannedChange, RemovalOutcome
from tests.support.aws.routes import Clients, RouteOnAws

ROUTE = [RouteComponent.DEAD_LETTER_QUEUE, RouteComponent.QUEUE, RouteComponent.RULE, RouteComponent.TARGET]
EXTRA: dict[str, Any] = {
    "Sid": "AnotherTeamMayRead",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "sqs:ReceiveMessage",
    "Resource": "*",
}


class EventInfrastructureUpkeepContract:
    """Bind `clients` and `names`; the bus of `names` is there, and nothing else is."""

    @pytest.fixture
    def clients(self) -> Clients:
        raise NotImplementedError

    @pytest.fixture
    def names(self) -> RouteNames:
        raise NotImplementedError

    @pytest.fixture
    def absent(self, clients: Clients, names: RouteNames) -> RouteOnAws:
        return RouteOnAws(clients, names)

    @pytest.fixture
    def route(self, absent: RouteOnAws) -> RouteOnAws:
        absent.infrastructure.provision()
        return absent

    def test_a_route_that_is_not_there_is_to_be_created_in_the_order_of_the_requirements(
        self, absent: RouteOnAws
    ) -> None:
        inspection = absent.infrastructure.inspect()

        assert [resource.exists for resource in inspection.resources] == [False] * 5
        assert [(change.action, change.component) for change in inspection.plan] == [
            (Action.CREATE, component) for component in ROUTE
        ]
        assert not inspection.ok

    def test_inspecting_creates_nothing(self, absent: RouteOnAws) -> None:
        before = absent.infrastructure.inspect()

        assert absent.infrastructure.inspect() == before

    def test_a_route_as_provisioned_leaves_nothing_to_do(self, route: RouteOnAws) -> None:
        inspection = route.infrastructure.inspect()

        assert inspection.ok
        assert inspection.plan == ()
        assert [resource.component for resource in inspection.resources if resource.exists] == ROUTE
        assert inspection.resources[2].state == "ENABLED"
        assert inspection.other_targets == ()

    def test_what_waits_is_counted_without_being_received(self, route: RouteOnAws) -> None:
        for body in ("one", "two", "three"):
            route.clients.sqs.send_message(QueueUrl=route.queue_url, MessageBody=body)
        route.clients.sqs.receive_message(QueueUrl=route.queue_url, VisibilityTimeout=60)

        dead_letters, queue = route.infrastructure.inspect().resources[:2]

        assert queue.load is not None
        assert (queue.load.waiting, queue.load.in_flight) == (2, 1)
        assert queue.load.oldest_seconds is None
        assert queue.load.not_known_because
        assert dead_letters.load is not None
        assert dead_letters.load.is_empty
        assert dead_letters.load.not_known_because == ""
        message = route.clients.sqs.receive_message(
            QueueUrl=route.queue_url, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )["Messages"][0]
        assert message["Attributes"]["ApproximateReceiveCount"] == "1"

    def test_every_attribute_of_the_queues_that_drifts_is_told_and_mended(self, route: RouteOnAws) -> None:
        drift = {
            "VisibilityTimeout": "31",
            "MessageRetentionPeriod": "60",
            "MaximumMessageSize": "262144",
            "RedrivePolicy": json.dumps(
                {"deadLetterTargetArn": route.attributes()["QueueArn"], "maxReceiveCount": 9}
            ),
        }
        route.set_attributes(**drift)
        route.set_dead_letter_attributes(MaximumMessageSize="262144", MessageRetentionPeriod="60")

        dead_letters, queue = route.infrastructure.inspect().plan

        assert {difference.attribute for difference in queue.differences} == {
            "VisibilityTimeout",
            "MessageRetentionPeriod",
            "MaximumMessageSize",
            "RedrivePolicy.deadLetterTargetArn",
            "RedrivePolicy.maxReceiveCount",
        }
        assert set(dead_letters.differences) == {
            Drift("MaximumMessageSize", "1048576", "262144"),
            Drift("MessageRetentionPeriod", "1209600", "60"),
        }
        repaired = route.infrastructure.repair()
        assert repaired.resources[1].mended == queue.differences
        assert repaired.ok
        assert route.infrastructure.inspect().ok

    def test_encryption_that_was_switched_off_is_switched_on_again(self, route: RouteOnAws) -> None:
        route.set_attributes(SqsManagedSseEnabled="false")

        route.infrastructure.repair()

        assert route.attributes()["SqsManagedSseEnabled"] == "true"

    def test_a_key_that_nobody_asked_for_is_left(self, route: RouteOnAws) -> None:
        route.set_attributes(KmsMasterKeyId="alias/theirs", SqsManagedSseEnabled="false")

        assert route.infrastructure.inspect().plan == ()

    def test_a_key_that_is_named_is_set_on_both_queues(self, route: RouteOnAws) -> None:
        keyed = route.with_key("alias/ours")
        assert {change.component for change in keyed.inspect().plan} == {
            RouteComponent.QUEUE,
            RouteComponent.DEAD_LETTER_QUEUE,
        }

        keyed.repair()

        assert keyed.inspect().plan == ()
        for queue in (route.names.queue, route.names.dead_letter_queue):
            assert route.attributes(queue)["KmsMasterKeyId"] == "alias/ours"

    def test_our_statement_is_mended_and_those_of_others_are_kept(self, route: RouteOnAws) -> None:
        wanted = route.wanted_statement()
        extra = {**EXTRA, "Resource": wanted["Resource"]}
        route.set_policy({**wanted, "Condition": {}}, extra)

        repaired = route.infrastructure.repair().resources[1]

        statements = json.loads(route.attributes()["Policy"])["Statement"]
        assert sorted(statements, key=lambda one: str(one["Sid"])) == [extra, wanted]
        assert {difference.attribute for difference in repaired.mended} == {"Policy"}
        assert [difference.ours for difference in repaired.differences] == [False]
        assert route.infrastructure.inspect().ok

    def test_a_policy_that_is_gone_is_put_back_on_both_queues(self, absent: RouteOnAws) -> None:
        for name in (absent.names.dead_letter_queue, absent.names.queue):
            absent.clients.sqs.create_queue(QueueName=name)

        absent.infrastructure.repair()

        for name in (absent.names.dead_letter_queue, absent.names.queue):
            (statement,) = json.loads(absent.attributes(name)["Policy"])["Statement"]
            assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": absent.rule()["Arn"]}}

    def test_a_rule_that_drifted_is_mended_and_keeps_its_description(self, route: RouteOnAws) -> None:
        route.clients.events.put_rule(
            Name=route.names.rule,
            EventBusName=route.names.bus,
            EventPattern='{"source": ["com.other"]}',
            State="DISABLED",
            Description="ours since 2026",
        )

        (change,) = route.infrastructure.inspect().plan
        assert (change.action, change.component) == (Action.CHANGE, RouteComponent.RULE)
        assert [difference.attribute for difference in change.differences] == ["EventPattern", "State"]
        assert route.infrastructure.repair().ok
        assert route.rule()["State"] == "ENABLED"
        assert route.rule()["Description"] == "ours since 2026"

    def test_a_target_that_drifted_is_mended_and_those_of_others_are_kept(self, route: RouteOnAws) -> None:
        other = {"Id": "other", "Arn": route.attributes(route.names.dead_letter_queue)["QueueArn"]}
        wanted = route.targets()[0]
        route.put_target(**other)
        route.put_target(
            InputPath="$.detail",
            DeadLetterConfig={"Arn": wanted["Arn"]},
            RetryPolicy={"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60},
        )

        inspection = route.infrastructure.inspect()
        assert inspection.other_targets == (other["Arn"],)
        assert [difference.attribute for difference in inspection.plan[0].differences] == [
            "InputPath",
            "DeadLetterConfig.Arn",
            "RetryPolicy.MaximumEventAgeInSeconds",
            "RetryPolicy.MaximumRetryAttempts",
        ]
        route.infrastructure.repair()
        assert {target["Id"]: target for target in route.targets()} == {"other": other, wanted["Id"]: wanted}

    def test_a_target_of_an_earlier_version_gets_what_it_lacks_but_only_from_a_repair(
        self, route: RouteOnAws
    ) -> None:
        route.remove_target()
        bare = {"Id": "by-hand", "Arn": route.attributes()["QueueArn"]}
        route.put_target(**bare)

        provisioning = route.infrastructure.provision()

        assert provisioning.ok
        assert [d.attribute for d in provisioning.resources[3].differences] == ["DeadLetterConfig.Arn"]
        assert route.targets() == [bare]
        route.infrastructure.repair()
        (target,) = route.targets()
        assert target["Id"] == "by-hand"
        assert target["DeadLetterConfig"]["Arn"].endswith(route.names.dead_letter_queue)

    def test_what_is_missing_is_created_by_a_repair_too(self, route: RouteOnAws) -> None:
        route.delete_rule()

        repaired = route.infrastructure.repair()

        assert [resource.component for resource in repaired.resources if resource.created] == [
            RouteComponent.RULE,
            RouteComponent.TARGET,
        ]
        assert repaired.ok

    def test_two_repairs_at_once_both_succeed(self, clients: Clients, route: RouteOnAws) -> None:
        route.set_attributes(VisibilityTimeout="31")
        route.disable_rule()
        both = [AwsEventInfrastructure(*clients, route.names, pause=lambda _: None) for _ in range(3)]

        with ThreadPoolExecutor(3) as pool:
            results = list(pool.map(AwsEventInfrastructure.repair, both))

        assert all(result.ok for result in results)
        assert route.infrastructure.inspect().ok

    def test_an_archive_is_created_once_and_keeps_our_events(self, absent: RouteOnAws) -> None:
        first = absent.infrastructure.provision(archive_days=7)
        again = absent.infrastructure.provision(archive_days=7)

        assert [resource.component for resource in first.resources] == [*ROUTE, RouteComponent.ARCHIVE]
        assert [resource.created for resource in again.resources] == [False] * 5
        assert absent.archive()["RetentionDays"] == 7
        assert json.loads(absent.archive()["EventPattern"]) == json.loads(absent.rule()["EventPattern"])
        assert absent.archive()["EventSourceArn"].endswith(f"event-bus/{absent.names.bus}")
        assert absent.infrastructure.inspect(archive_days=7).ok

    def test_with_an_archive_rules_of_replays_may_send_too_and_nobody_else(self, absent: RouteOnAws) -> None:
        absent.infrastructure.provision(archive_days=7)

        for queue in (absent.names.queue, absent.names.dead_letter_queue):
            ours, replays = json.loads(absent.attributes(queue)["Policy"])["Statement"]
            arn = absent.rule()["Arn"]
            assert ours["Condition"] == {"ArnEquals": {"aws:SourceArn": arn}}
            stem = arn.removesuffix(absent.names.rule) + absent.names.rule[:32]
            assert replays["Condition"] == {"ArnLike": {"aws:SourceArn": f"{stem}-replay-*"}}
            assert replays["Principal"] == {"Service": "events.amazonaws.com"}
            assert replays["Resource"] == absent.attributes(queue)["QueueArn"]

    def test_an_archive_for_a_route_without_one_takes_a_repair_to_admit_its_replays(
        self, route: RouteOnAws
    ) -> None:
        provisioning = route.infrastructure.provision(archive_days=0)

        assert [resource.component for resource in provisioning.resources if resource.created] == [
            RouteComponent.ARCHIVE
        ]
        assert [d.attribute for d in provisioning.resources[1].differences] == ["Policy"]
        assert not route.infrastructure.inspect(archive_days=0).ok
        route.infrastructure.repair(archive_days=0)
        assert route.infrastructure.inspect(archive_days=0).ok
        assert route.infrastructure.inspect().ok, "an archive that nobody asks for now is no drift"

    def test_an_archive_that_drifted_is_told_and_mended(self, absent: RouteOnAws) -> None:
        absent.infrastructure.provision(archive_days=7)
        absent.clients.events.update_archive(
            ArchiveName=absent.names.archive, EventPattern='{"source": ["x"]}', RetentionDays=9
        )

        archive = absent.infrastructure.inspect(archive_days=7).resources[-1]
        assert [difference.attribute for difference in archive.drift] == ["EventPattern", "RetentionDays"]
        absent.infrastructure.repair(archive_days=7)
        assert absent.archive()["RetentionDays"] == 7
        assert absent.infrastructure.inspect(archive_days=7).ok

    def test_retention_is_no_drift_where_nobody_said_how_long(self, absent: RouteOnAws) -> None:
        absent.infrastructure.provision(archive_days=7)

        inspection = absent.infrastructure.inspect()

        assert inspection.ok
        assert inspection.resources[-1].state == "ENABLED, keeps 7 days, 0 events"

    def test_an_archive_that_is_wanted_and_missing_is_to_be_created(self, route: RouteOnAws) -> None:
        assert (
            PlannedChange(Action.CREATE, RouteComponent.ARCHIVE, route.names.archive)
            in route.infrastructure.inspect(archive_days=7).plan
        )

    def test_an_archive_of_another_bus_is_told_and_never_changed(self, route: RouteOnAws) -> None:
        other_bus = f"{route.names.rule}-other"
        arn = route.clients.events.create_event_bus(Name=other_bus)["EventBusArn"]
        route.clients.events.create_archive(ArchiveName=route.names.archive, EventSourceArn=arn)

        differences = route.infrastructure.inspect(archive_days=7).resources[-1].differences
        assert "EventSourceArn" in {difference.attribute for difference in differences}
        with pytest.raises(InfrastructureError, match=f"{other_bus}.*choose another ARCHIVE_NAME"):
            route.infrastructure.repair(archive_days=7)
        assert "EventPattern" not in route.archive()
        assert route.infrastructure.remove(archive=True)[-2].outcome is RemovalOutcome.LEFT

    def test_removing_takes_everything_but_the_bus_and_may_be_done_again(self, route: RouteOnAws) -> None:
        removed = route.infrastructure.remove()
        again = route.infrastructure.remove()

        links = [
            RouteComponent.TARGET,
            RouteComponent.RULE,
            RouteComponent.QUEUE,
            RouteComponent.DEAD_LETTER_QUEUE,
            RouteComponent.BUS,
        ]
        assert [removal.component for removal in removed] == links
        assert [removal.outcome for removal in removed] == [RemovalOutcome.REMOVED] * 4 + [
            RemovalOutcome.LEFT
        ]
        assert [removal.outcome for removal in again] == [RemovalOutcome.MISSING] * 4 + [RemovalOutcome.LEFT]
        assert not any(resource.exists for resource in route.infrastructure.inspect().resources)

    def test_an_archive_is_left_unless_it_is_to_go_too(self, absent: RouteOnAws) -> None:
        absent.infrastructure.provision(archive_days=7)

        left = absent.infrastructure.remove()
        gone = absent.infrastructure.remove(archive=True)

        assert [(r.component, r.outcome) for r in left[-2:]] == [
            (RouteComponent.ARCHIVE, RemovalOutcome.LEFT),
            (RouteComponent.BUS, RemovalOutcome.LEFT),
        ]
        assert [(r.component, r.outcome) for r in gone[-2:]] == [
            (RouteComponent.ARCHIVE, RemovalOutcome.REMOVED),
            (RouteComponent.BUS, RemovalOutcome.LEFT),
        ]

    @pytest.mark.parametrize("which", ["queue", "dead_letter_queue"])
    @pytest.mark.parametrize("in_flight", [False, True])
    def test_nothing_is_removed_while_a_message_is_in_a_queue(
        self, route: RouteOnAws, which: str, *, in_flight: bool
    ) -> None:
        name = getattr(route.names, which)
        url = route.clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        route.clients.sqs.send_message(QueueUrl=url, MessageBody="an event")
        if in_flight:
            route.clients.sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)

        counts = "0 waiting, 1 in flight" if in_flight else "1 waiting, 0 in flight"
        with pytest.raises(InfrastructureError, match=rf"{name} holds .*{counts}.*Nothing was removed"):
            route.infrastructure.remove()

        assert route.infrastructure.inspect().ok

    def test_force_removes_the_messages_too(self, route: RouteOnAws) -> None:
        route.clients.sqs.send_message(QueueUrl=route.queue_url, MessageBody="an event")

        removed = route.infrastructure.remove(force=True)

        assert [removal.outcome for removal in removed][:4] == [RemovalOutcome.REMOVED] * 4

    def test_a_rule_that_others_use_is_left_without_our_target(self, route: RouteOnAws) -> None:
        other = {"Id": "other", "Arn": route.attributes()["QueueArn"] + "-other"}
        route.put_target(**other)

        target, rule, *_ = route.infrastructure.remove()

        assert target.outcome is RemovalOutcome.REMOVED
        assert rule.outcome is RemovalOutcome.LEFT
        assert other["Arn"] in rule.reason
        assert route.targets() == [other]

    def test_a_dead_letter_queue_that_others_use_is_left(self, route: RouteOnAws) -> None:
        dead_letters = route.attributes(route.names.dead_letter_queue)["QueueArn"]
        other = f"{route.names.queue}-other"
        redrive = json.dumps({"deadLetterTargetArn": dead_letters, "maxReceiveCount": 5})
        route.clients.sqs.create_queue(QueueName=other, Attributes={"RedrivePolicy": redrive})

        removal = route.infrastructure.remove()[3]

        assert (removal.component, removal.outcome) == (RouteComponent.DEAD_LETTER_QUEUE, RemovalOutcome.LEFT)
        assert other in removal.reason

    def test_two_removals_at_once_both_succeed(self, clients: Clients, route: RouteOnAws) -> None:
        both = [AwsEventInfrastructure(*clients, route.names, pause=lambda _: None) for _ in range(3)]

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(AwsEventInfrastructure.remove, both))

        assert not any(resource.exists for resource in route.infrastructure.inspect().resources)

    def test_only_the_route_of_these_names_is_removed(self, clients: Clients, route: RouteOnAws) -> None:
        names = RouteNames(
            bus=route.names.bus,
            rule=f"{route.names.rule}-2",
            queue=f"{route.names.queue}-2",
            dead_letter_queue=f"{route.names.dead_letter_queue}-2",
            archive=f"{route.names.archive}-2",
        )
        neighbour = RouteOnAws(clients, replace(names))
        neighbour.infrastructure.provision()

        route.infrastructure.remove(force=True, archive=True)

        assert neighbour.infrastructure.inspect().ok
