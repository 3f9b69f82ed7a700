"""Contract of provisioning (`ports/event_infrastructure_port.py`)."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from domain.model.errors import InfrastructureError
from domain.model.route.route import Drift, RouteComponent, RouteNames
from tests.contracts.event_infrastructure.fixtures import ORDER, RouteFixtures
from tests.support.aws.routes import Clients, RouteOnAws


class ProvisioningContract(RouteFixtures):
    """Bind `clients` and `names`, as `RouteFixtures` says."""

    def test_everything_is_created_in_the_order_of_the_requirements(self, absent: RouteOnAws) -> None:
        provisioning = absent.infrastructure.provision()

        assert [resource.component for resource in provisioning.resources] == ORDER
        assert all(resource.created and not resource.differences for resource in provisioning.resources)
        assert provisioning.findings == ()
        assert provisioning.ok

    def test_addresses_and_rule_are_named(self, absent: RouteOnAws) -> None:
        provisioning = absent.infrastructure.provision()

        assert provisioning.queue_address == absent.queue_url
        assert provisioning.dead_letter_queue_address.endswith(absent.names.dead_letter_queue)
        assert provisioning.rule_identifier == absent.rule()["Arn"]

    def test_the_queue_is_as_required(self, route: RouteOnAws) -> None:
        found = route.attributes()
        assert found["VisibilityTimeout"] == "30"
        assert found["MessageRetentionPeriod"] == "1209600"
        assert found["MaximumMessageSize"] == "1048576"
        assert "FifoQueue" not in found
        dead_letter_queue = route.attributes(route.names.dead_letter_queue)
        assert json.loads(found["RedrivePolicy"]) == {
            "deadLetterTargetArn": dead_letter_queue["QueueArn"],
            "maxReceiveCount": 3,
        }

    def test_the_dead_letter_queue_is_as_required(self, route: RouteOnAws) -> None:
        found = route.attributes(route.names.dead_letter_queue)
        assert found["MessageRetentionPeriod"] == "1209600"
        assert found["MaximumMessageSize"] == "1048576"

    def test_only_eventbridge_may_send_and_only_for_this_rule(self, route: RouteOnAws) -> None:
        for queue in (route.names.queue, route.names.dead_letter_queue):
            found = route.attributes(queue)
            (statement,) = json.loads(found["Policy"])["Statement"]
            assert statement == {
                "Sid": "EventBridgeMaySendForThisRule",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": found["QueueArn"],
                "Condition": {"ArnEquals": {"aws:SourceArn": route.rule()["Arn"]}},
            }

    def test_both_queues_are_encrypted_by_sqs_unless_a_key_is_named(
        self, clients: Clients, absent: RouteOnAws
    ) -> None:
        names = replace(absent.names, dead_letter_queue=f"{absent.names.dead_letter_queue}-2")
        absent.infrastructure.provision()

        AwsEventInfrastructure(*clients, replace(names, queue=f"{names.queue}-2"), key="alias/a").provision()

        for queue in (absent.names.queue, absent.names.dead_letter_queue):
            assert absent.attributes(queue)["SqsManagedSseEnabled"] == "true"
            assert not absent.attributes(queue).get("KmsMasterKeyId")
            assert absent.attributes(f"{queue}-2")["KmsMasterKeyId"] == "alias/a"

    def test_the_rule_is_as_required(self, route: RouteOnAws) -> None:
        assert route.rule()["State"] == "ENABLED"
        assert json.loads(route.rule()["EventPattern"]) == {
            "source": ["com.yourapp.transcription"],
            "detail-type": [route.names.kind.detail_type],
        }

    def test_the_queue_is_the_only_target_and_gets_the_whole_event(self, route: RouteOnAws) -> None:
        (target,) = route.targets()
        assert target["Id"] == route.names.queue[:64]
        assert target["Arn"] == route.attributes()["QueueArn"]
        assert target.keys() == {"Id", "Arn", "DeadLetterConfig", "RetryPolicy"}

    def test_what_the_bus_cannot_deliver_goes_to_the_dead_letter_queue_after_a_day(
        self, route: RouteOnAws
    ) -> None:
        (target,) = route.targets()
        dead_letters = route.attributes(route.names.dead_letter_queue)["QueueArn"]
        assert target["DeadLetterConfig"] == {"Arn": dead_letters}
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}

    def test_provisioning_twice_changes_nothing_and_warns(
        self, route: RouteOnAws, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = (route.attributes(), route.rule()["Arn"], route.targets())

        again = route.infrastructure.provision()

        assert (route.attributes(), route.rule()["Arn"], route.targets()) == before
        assert all(not resource.created and not resource.differences for resource in again.resources)
        assert again.ok
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert [vars(record)["part"] for record in warnings] == [component.value for component in ORDER]
        assert {record.message for record in warnings} == {"exists already, creation skipped"}

    def test_what_is_missing_is_added_to_what_exists(self, route: RouteOnAws) -> None:
        route.remove_target()

        again = route.infrastructure.provision()

        assert [resource.component for resource in again.resources if resource.created] == [
            RouteComponent.TARGET
        ]
        assert again.ok

    def test_two_at_once_both_succeed(self, clients: Clients, names: RouteNames) -> None:
        routes = [AwsEventInfrastructure(*clients, names, pause=lambda _: None) for _ in range(4)]

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(AwsEventInfrastructure.provision, routes))

        assert all(result.ok for result in results)
        assert len({result.queue_address for result in results}) == 1
        assert len(RouteOnAws(clients, names).targets()) == 1

    def test_another_queue_of_that_name_is_named_attribute_by_attribute_and_left(
        self, absent: RouteOnAws
    ) -> None:
        dead_letters = {"MessageRetentionPeriod": "60"}
        absent.clients.sqs.create_queue(QueueName=absent.names.dead_letter_queue, Attributes=dead_letters)
        absent.clients.sqs.create_queue(QueueName=absent.names.queue, Attributes={"VisibilityTimeout": "31"})

        provisioning = absent.infrastructure.provision()

        dead_letter_queue, queue, *_ = provisioning.resources
        assert not dead_letter_queue.created
        assert Drift("MessageRetentionPeriod", "1209600", "60") in dead_letter_queue.differences
        found = {difference.attribute: difference.found for difference in queue.differences}
        assert found["VisibilityTimeout"] == "31"
        assert found["MessageRetentionPeriod"] == "345600"
        assert found["Policy"] == "none"
        assert found["RedrivePolicy.deadLetterTargetArn"] == "none"
        assert found["RedrivePolicy.maxReceiveCount"] == "none"
        assert absent.attributes()["VisibilityTimeout"] == "31"
        assert "Policy" not in absent.attributes()
        components = [finding.component for finding in provisioning.findings]
        assert components == [RouteComponent.QUEUE_POLICY, RouteComponent.DEAD_LETTER_QUEUE]
        assert not provisioning.ok

    def test_a_policy_that_says_the_same_otherwise_is_no_difference(self, route: RouteOnAws) -> None:
        wanted = route.wanted_statement()
        route.set_policy({**wanted, "Sid": "other", "Action": ["SQS:SendMessage"]})

        queue = route.infrastructure.provision().resources[1]

        assert queue.differences == ()

    def test_further_statements_are_named(self, route: RouteOnAws) -> None:
        extra = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "sqs:SendMessage",
            "Resource": route.attributes()["QueueArn"],
        }
        route.set_policy(route.wanted_statement(), extra)

        provisioning = route.infrastructure.provision()

        (difference,) = provisioning.resources[1].differences
        assert (difference.attribute, difference.wanted) == ("Policy", "no further statement")
        assert not difference.ours
        assert json.loads(difference.found)["Principal"] == "*"
        assert provisioning.ok

    def test_a_rule_that_differs_is_named_left_and_found_broken(self, absent: RouteOnAws) -> None:
        pattern = {"source": ["com.other"]}
        absent.put_rule(pattern, state="DISABLED")

        provisioning = absent.infrastructure.provision()

        rule = provisioning.resources[2]
        assert not rule.created
        assert [difference.attribute for difference in rule.differences] == ["EventPattern", "State"]
        assert json.loads(absent.rule()["EventPattern"]) == pattern
        assert absent.rule()["State"] == "DISABLED"
        assert [finding.component for finding in provisioning.findings] == [
            RouteComponent.RULE,
            RouteComponent.PATTERN,
        ]
        assert not provisioning.ok

    def test_the_order_of_a_pattern_makes_no_difference(self, absent: RouteOnAws) -> None:
        detail_types, sources = [absent.names.kind.detail_type], ["com.yourapp.transcription"]
        absent.put_rule({"detail-type": detail_types, "source": sources})

        assert absent.infrastructure.provision().resources[2].differences == ()

    def test_a_target_that_sends_elsewhere_is_named_left_and_found_broken(self, route: RouteOnAws) -> None:
        dead_letters = route.attributes(route.names.dead_letter_queue)["QueueArn"]
        route.put_target(Arn=dead_letters)

        provisioning = route.infrastructure.provision()

        (difference,) = provisioning.resources[3].differences
        assert difference == Drift("Arn", route.attributes()["QueueArn"], dead_letters)
        assert [target["Arn"] for target in route.targets()] == [dead_letters]
        assert [finding.component for finding in provisioning.findings] == [RouteComponent.TARGET]

    def test_a_target_that_changes_events_is_named_and_found_broken(self, route: RouteOnAws) -> None:
        route.put_target(Arn=route.attributes()["QueueArn"], InputPath="$.detail")

        provisioning = route.infrastructure.provision()

        assert provisioning.resources[3].differences == (Drift("InputPath", "none", '"$.detail"'),)
        assert [finding.component for finding in provisioning.findings] == [RouteComponent.TARGET]

    def test_targets_of_others_are_left_alone(self, route: RouteOnAws) -> None:
        route.remove_target()
        other = {"Id": "other", "Arn": route.attributes(route.names.dead_letter_queue)["QueueArn"]}
        route.put_target(**other)

        assert route.infrastructure.provision().ok
        assert other in route.targets()
        assert len(route.targets()) == 2

    def test_a_bus_that_does_not_exist_is_an_error_and_nothing_is_created(
        self, clients: Clients, names: RouteNames
    ) -> None:
        elsewhere = RouteNames("no-such-bus", names.rule, names.queue, names.dead_letter_queue, names.source)

        with pytest.raises(InfrastructureError, match=r"no-such-bus does not exist.*EVENTBRIDGE_BUS_NAME"):
            AwsEventInfrastructure(*clients, elsewhere).provision()
        with pytest.raises(InfrastructureError, match="no-such-bus does not exist"):
            AwsEventInfrastructure(*clients, elsewhere).inspect()

        with pytest.raises(clients.sqs.exceptions.QueueDoesNotExist):
            RouteOnAws(clients, names).attributes(names.dead_letter_queue)
