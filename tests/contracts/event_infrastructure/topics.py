"""Contract of the route of a topic (`ports/event_infrastructure_port.py`), beside that of a bus."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from domain.model.errors import InfrastructureError
from domain.model.events.kinds import EventKind
from domain.model.route.route import Drift, RouteComponent, RouteNames
from domain.model.route.status import Action, RemovalOutcome
from tests.contracts.event_infrastructure.repair import EXTRA
from tests.support.aws.topic_routes import TopicClients, TopicRouteOnAws

ORDER = [
    RouteComponent.DEAD_LETTER_QUEUE,
    RouteComponent.QUEUE,
    RouteComponent.TOPIC,
    RouteComponent.SUBSCRIPTION,
]


def failed_beside(names: RouteNames) -> RouteNames:
    """Return the names of failed events on the same topic."""
    return replace(
        names,
        queue=f"{names.queue}-f",
        dead_letter_queue=f"{names.dead_letter_queue}-f",
        kind=EventKind.FAILED,
    )


class TopicRouteContract:
    """Bind `clients` and `names`; at first none of the resources exists."""

    @pytest.fixture
    def clients(self) -> TopicClients:
        raise NotImplementedError

    @pytest.fixture
    def names(self) -> RouteNames:
        raise NotImplementedError

    @pytest.fixture
    def absent(self, clients: TopicClients, names: RouteNames) -> TopicRouteOnAws:
        """A route that is not provisioned yet."""
        return TopicRouteOnAws(clients, names)

    @pytest.fixture
    def route(self, absent: TopicRouteOnAws) -> TopicRouteOnAws:
        """A route as provisioned."""
        absent.infrastructure.provision()
        return absent

    def test_everything_is_created_in_order_and_named(self, absent: TopicRouteOnAws) -> None:
        before = absent.infrastructure.inspect()
        provisioning = absent.infrastructure.provision()

        assert [(change.action, change.component) for change in before.plan] == [
            (Action.CREATE, component) for component in ORDER
        ]
        assert [resource.component for resource in provisioning.resources] == ORDER
        assert all(resource.created and not resource.differences for resource in provisioning.resources)
        assert provisioning.findings == ()
        assert provisioning.rule_identifier == absent.address.arn
        assert absent.infrastructure.inspect().ok

    def test_only_sns_may_send_to_either_queue_and_only_for_this_topic(self, route: TopicRouteOnAws) -> None:
        for queue in (route.names.queue, route.names.dead_letter_queue):
            found = route.queue_attributes(queue)
            (statement,) = json.loads(found["Policy"])["Statement"]
            assert statement == {
                "Sid": "SnsMaySendForThisTopic",
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": found["QueueArn"],
                "Condition": {"ArnEquals": {"aws:SourceArn": route.address.arn}},
            }

    def test_the_queue_gets_raw_events_of_its_kind_and_the_rest_is_dead_lettered(
        self, route: TopicRouteOnAws
    ) -> None:
        found = route.subscription()

        assert found["RawMessageDelivery"] == "true"
        assert found["FilterPolicy"] == {
            "source": [route.names.source],
            "detail-type": [route.names.kind.detail_type],
        }
        dead_letters = route.queue_attributes(route.names.dead_letter_queue)["QueueArn"]
        assert found["RedrivePolicy"] == {"deadLetterTargetArn": dead_letters}
        assert json.loads(route.queue_attributes()["RedrivePolicy"]) == {
            "deadLetterTargetArn": dead_letters,
            "maxReceiveCount": 3,
        }

    def test_provisioning_twice_changes_nothing_and_warns(
        self, route: TopicRouteOnAws, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = route.queue_attributes(), route.subscription(), route.topic_attributes()

        again = route.infrastructure.provision()

        assert (route.queue_attributes(), route.subscription(), route.topic_attributes()) == before
        assert all(not resource.created and not resource.differences for resource in again.resources)
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert [vars(record)["part"] for record in warnings] == [component.value for component in ORDER]

    def test_two_at_once_both_succeed(self, clients: TopicClients, names: RouteNames) -> None:
        routes = [TopicRouteOnAws(clients, names) for _ in range(3)]

        with ThreadPoolExecutor(3) as pool:
            results = list(pool.map(lambda route: route.infrastructure.provision(), routes))

        assert all(result.ok for result in results)
        assert len(routes[0].subscriptions()) == 1

    def test_what_is_missing_is_added_to_what_exists(self, route: TopicRouteOnAws) -> None:
        route.unsubscribe()

        again = route.infrastructure.provision()

        created = [resource.component for resource in again.resources if resource.created]
        assert created == [RouteComponent.SUBSCRIPTION]
        assert again.ok

    def test_each_attribute_of_the_subscription_that_drifts_is_told_and_mended(
        self, route: TopicRouteOnAws
    ) -> None:
        wanted = route.subscription()
        queue_arn = route.queue_attributes()["QueueArn"]
        route.set_subscription(
            FilterPolicy='{"detail-type": ["Other"]}',
            RawMessageDelivery="false",
            RedrivePolicy=json.dumps({"deadLetterTargetArn": queue_arn}),
        )

        (change,) = route.infrastructure.inspect().plan
        assert (change.action, change.component) == (Action.CHANGE, RouteComponent.SUBSCRIPTION)
        assert [difference.attribute for difference in change.differences] == [
            "FilterPolicy",
            "RawMessageDelivery",
            "RedrivePolicy",
        ]
        assert not any(resource.created for resource in route.infrastructure.provision().resources)
        assert route.subscription()["RawMessageDelivery"] == "false", "provisioning changes nothing"
        repaired = route.infrastructure.repair()
        assert repaired.resources[-1].mended == change.differences
        assert repaired.ok
        assert route.subscription() == wanted
        assert route.infrastructure.inspect().ok

    def test_a_filter_policy_in_another_order_is_no_difference(self, route: TopicRouteOnAws) -> None:
        policy = route.subscription()["FilterPolicy"]
        route.set_subscription(FilterPolicy=json.dumps(dict(reversed(policy.items()))))

        assert route.infrastructure.inspect().ok

    def test_attributes_and_policy_of_the_queue_that_drift_are_mended_and_those_of_others_kept(
        self, route: TopicRouteOnAws
    ) -> None:
        (wanted,) = json.loads(route.queue_attributes()["Policy"])["Statement"]
        extra = {**EXTRA, "Resource": wanted["Resource"]}
        policy = {"Version": "2012-10-17", "Statement": [{**wanted, "Condition": {}}, extra]}
        route.set_queue_attributes(VisibilityTimeout="31", Policy=json.dumps(policy))

        repaired = route.infrastructure.repair().resources[1]

        assert {difference.attribute for difference in repaired.mended} == {"VisibilityTimeout", "Policy"}
        assert [difference.ours for difference in repaired.differences] == [False]
        statements = json.loads(route.queue_attributes()["Policy"])["Statement"]
        assert sorted(statements, key=lambda one: str(one["Sid"])) == [extra, wanted]

    def test_a_key_that_is_named_encrypts_topic_and_queues(
        self, clients: TopicClients, route: TopicRouteOnAws
    ) -> None:
        keyed = TopicRouteOnAws(clients, route.names, key="alias/ours")
        assert {change.component for change in keyed.infrastructure.inspect().plan} == set(ORDER[:3])

        keyed.infrastructure.repair()

        assert keyed.topic_attributes()["KmsMasterKeyId"] == "alias/ours"
        assert keyed.infrastructure.inspect().plan == ()
        assert route.infrastructure.inspect().plan == (), "encryption is never weakened"

    def test_a_key_of_others_is_told_where_another_is_named(
        self, clients: TopicClients, route: TopicRouteOnAws
    ) -> None:
        TopicRouteOnAws(clients, route.names, key="alias/theirs").infrastructure.repair()

        topic = TopicRouteOnAws(clients, route.names, key="alias/ours").infrastructure.inspect().resources[2]

        assert topic.differences == (Drift("KmsMasterKeyId", "alias/ours", "alias/theirs"),)

    def test_removing_takes_everything_and_may_be_done_again(self, route: TopicRouteOnAws) -> None:
        removed = route.infrastructure.remove()
        again = route.infrastructure.remove()

        assert [removal.component for removal in removed] == [
            RouteComponent.SUBSCRIPTION,
            RouteComponent.TOPIC,
            RouteComponent.QUEUE,
            RouteComponent.DEAD_LETTER_QUEUE,
        ]
        assert {removal.outcome for removal in removed} == {RemovalOutcome.REMOVED}
        assert {removal.outcome for removal in again} == {RemovalOutcome.MISSING}

    def test_nothing_is_removed_while_a_message_is_in_the_queue_unless_forced(
        self, route: TopicRouteOnAws
    ) -> None:
        route.send("an event")

        with pytest.raises(InfrastructureError, match=r"holds .*1 waiting.*Nothing was removed"):
            route.infrastructure.remove()

        assert route.infrastructure.inspect().ok
        removed = route.infrastructure.remove(force=True)
        assert {removal.outcome for removal in removed} == {RemovalOutcome.REMOVED}

    def test_a_topic_that_others_use_is_left_without_our_subscription(self, route: TopicRouteOnAws) -> None:
        other = route.subscribe_another()

        subscription, topic, *_ = route.infrastructure.remove()

        assert subscription.outcome is RemovalOutcome.REMOVED
        assert topic.outcome is RemovalOutcome.LEFT
        assert other in topic.reason
        assert [each["Endpoint"] for each in route.subscriptions()] == [other]

    def test_two_kinds_share_the_topic_and_the_last_one_removes_it(
        self, clients: TopicClients, route: TopicRouteOnAws
    ) -> None:
        failed = TopicRouteOnAws(clients, failed_beside(route.names))
        assert failed.infrastructure.provision().ok
        assert route.infrastructure.inspect().ok

        first, second = route.infrastructure.remove(), failed.infrastructure.remove()

        outcomes = [found[1].outcome for found in (first, second)]
        assert outcomes == [RemovalOutcome.LEFT, RemovalOutcome.REMOVED]

    def test_a_missing_topic_ends_the_check_of_the_subscription(self, route: TopicRouteOnAws) -> None:
        route.delete_topic()

        (finding,) = route.infrastructure.diagnose()

        assert (finding.component, finding.proven) == (RouteComponent.TOPIC, True)
        assert finding.problem == f"the topic {route.names.topic} does not exist"
        assert "Run `transcripts provision`, or correct SNS_TOPIC_NAME" in finding.remedy
        assert [r.exists for r in route.infrastructure.inspect().resources] == [True, True, False, False]

    def test_a_missing_subscription_names_the_subscribers_that_there_are(
        self, route: TopicRouteOnAws
    ) -> None:
        other = route.subscribe_another()
        route.unsubscribe()

        (finding,) = route.infrastructure.diagnose()

        assert finding.component is RouteComponent.SUBSCRIPTION
        assert other in finding.evidence

    @pytest.mark.parametrize(
        ("policy", "proven"),
        [
            ('{"detail-type": ["Other"]}', [True]),
            ('{"source": ["com.other"]}', [True]),
            ('{"detail-type": [{"prefix": "Batch"}]}', [False]),
            ('{"tenant": ["a"]}', [True]),
            ("{}", []),
        ],
    )
    def test_a_filter_policy_that_lets_nothing_of_ours_pass_is_found(
        self, route: TopicRouteOnAws, policy: str, proven: list[bool]
    ) -> None:
        route.set_subscription(FilterPolicy=policy)

        findings = route.infrastructure.diagnose()

        assert [finding.proven for finding in findings] == proven
        assert {finding.component for finding in findings} <= {RouteComponent.FILTER_POLICY}

    def test_a_filter_policy_on_the_body_is_evaluated_on_the_body(self, route: TopicRouteOnAws) -> None:
        route.set_subscription(FilterPolicyScope="MessageBody")
        (finding,) = route.infrastructure.diagnose()
        route.set_subscription(FilterPolicy=json.dumps({"type": [route.names.kind.detail_type]}))

        assert finding.component is RouteComponent.FILTER_POLICY
        assert "with the scope MessageBody" in finding.evidence
        assert route.infrastructure.diagnose() == ()
        assert route.infrastructure.repair().ok
        assert route.infrastructure.inspect().ok

    def test_a_queue_whose_policy_lets_sns_not_in_is_found(self, route: TopicRouteOnAws) -> None:
        (wanted,) = json.loads(route.queue_attributes()["Policy"])["Statement"]
        of_eventbridge = {**wanted, "Principal": {"Service": "events.amazonaws.com"}}
        route.set_queue_attributes(Policy=json.dumps({"Statement": [of_eventbridge]}))

        (finding,) = route.infrastructure.diagnose()

        assert finding.component is RouteComponent.QUEUE_POLICY
        assert "refuses SNS" in finding.problem
        assert f"aws:SourceArn equals {route.address.arn}" in finding.remedy

    def test_a_key_that_sns_cannot_use_is_found(self, route: TopicRouteOnAws) -> None:
        route.set_queue_attributes(KmsMasterKeyId="alias/aws/sqs")

        (finding,) = route.infrastructure.diagnose()

        assert finding.component is RouteComponent.ENCRYPTION
        assert '"Principal": {"Service": "sns.amazonaws.com"}' in finding.remedy
