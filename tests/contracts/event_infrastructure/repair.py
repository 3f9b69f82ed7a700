"""Contract of inspection and repair (`ports/event_infrastructure_port.py`)."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from domain.model.route.route import Drift, RouteComponent
from domain.model.route.status import Action
from tests.contracts.event_infrastructure.fixtures import ORDER, RouteFixtures
from tests.support.aws.routes import Clients, RouteOnAws

EXTRA: dict[str, Any] = {
    "Sid": "AnotherTeamMayRead",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "sqs:ReceiveMessage",
    "Resource": "*",
}


class RepairContract(RouteFixtures):
    """Bind `clients` and `names`, as `RouteFixtures` says."""

    def test_a_route_that_is_not_there_is_to_be_created_in_the_order_of_the_requirements(
        self, absent: RouteOnAws
    ) -> None:
        inspection = absent.infrastructure.inspect()

        assert [resource.exists for resource in inspection.resources] == [False] * 5
        assert [(change.action, change.component) for change in inspection.plan] == [
            (Action.CREATE, component) for component in ORDER
        ]
        assert not inspection.ok

    def test_inspecting_creates_nothing(self, absent: RouteOnAws) -> None:
        before = absent.infrastructure.inspect()

        assert absent.infrastructure.inspect() == before

    def test_a_route_as_provisioned_leaves_nothing_to_do(self, route: RouteOnAws) -> None:
        inspection = route.infrastructure.inspect()

        assert inspection.ok
        assert inspection.plan == ()
        assert [resource.component for resource in inspection.resources if resource.exists] == ORDER
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
