"""The route of a topic on moto, and with failures that no emulator produces."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from domain.model.errors import CredentialsRefusedError
from domain.model.route.route import Drift, RouteComponent, RouteNames
from domain.model.route.status import RemovalOutcome
from tests.contracts.event_infrastructure.topics import TopicRouteContract
from tests.support.aws.event_bridges import REGION
from tests.support.aws.topic_routes import TopicClients, TopicRouteOnAws, moto_topic_clients


@pytest.fixture
def clients() -> Iterator[TopicClients]:
    with mock_aws():
        yield moto_topic_clients()


class TestTopicRouteOnMoto(TopicRouteContract):
    @pytest.fixture
    def clients(self, clients: TopicClients) -> TopicClients:
        return clients

    @pytest.fixture
    def names(self) -> RouteNames:
        return RouteNames()


def test_a_route_of_eventbridge_becomes_one_of_sns_and_keeps_the_rules_statement(
    clients: TopicClients,
) -> None:
    events = boto3.client("events", region_name=REGION)
    AwsEventInfrastructure(events, clients.sqs, clients.kms, clients.cloudwatch, RouteNames()).provision()
    route = TopicRouteOnAws(clients, RouteNames())

    refused = route.infrastructure.provision()
    repaired = route.infrastructure.repair()

    assert {finding.component for finding in refused.findings} == {RouteComponent.QUEUE_POLICY}
    assert repaired.ok
    assert [d.ours for resource in repaired.resources for d in resource.differences] == [False, False]
    assert route.infrastructure.inspect().ok


class OfSubscriptions:
    """A client of SNS that lists these subscriptions in place of those of the topic."""

    def __init__(self, sns: Any, *subscriptions: dict[str, str]) -> None:
        self._sns = sns
        self._subscriptions = list(subscriptions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sns, name)

    def get_paginator(self, _: str) -> "OfSubscriptions":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"Subscriptions": self._subscriptions[:1]}, {"Subscriptions": self._subscriptions[1:]}]


def with_subscriptions(clients: TopicClients, *arns: str) -> TopicRouteOnAws:
    """Return a provisioned route whose queue is listed under these ARNs, on several pages."""
    TopicRouteOnAws(clients, RouteNames()).infrastructure.provision()
    endpoint = f"arn:aws:sqs:{REGION}:123456789012:{RouteNames().queue}"
    listed = [{"SubscriptionArn": arn, "Protocol": "sqs", "Endpoint": endpoint} for arn in arns]
    return TopicRouteOnAws(clients._replace(sns=OfSubscriptions(clients.sns, *listed)), RouteNames())


def test_a_subscription_that_is_not_confirmed_is_found_and_asked_for_again(clients: TopicClients) -> None:
    route = with_subscriptions(clients, "Deleted", "PendingConfirmation")

    (finding,) = route.infrastructure.diagnose()
    status = route.infrastructure.inspect().resources[-1]

    assert (finding.component, finding.proven) == (RouteComponent.SUBSCRIPTION, True)
    assert "is not confirmed" in finding.problem
    assert (status.state, status.drift) == (
        "not confirmed", (Drift("PendingConfirmation", "false", "true"),)
    )  # fmt: skip
    assert route.infrastructure.repair().resources[-1].mended == status.drift
    assert route.infrastructure.remove()[0].outcome is RemovalOutcome.LEFT


def test_a_removed_subscription_that_is_still_listed_is_none(clients: TopicClients) -> None:
    route = with_subscriptions(clients, "Deleted")

    assert [finding.component for finding in route.infrastructure.diagnose()] == [RouteComponent.SUBSCRIPTION]
    assert route.infrastructure.inspect().resources[-1].exists is False


@pytest.mark.parametrize(
    ("operation", "component"),
    [
        ("get_topic_attributes", RouteComponent.TOPIC),
        ("list_subscriptions_by_topic", RouteComponent.SUBSCRIPTION),
        ("get_subscription_attributes", RouteComponent.SUBSCRIPTION),
    ],
)
def test_a_missing_permission_proves_nothing(
    clients: TopicClients, operation: str, component: RouteComponent
) -> None:
    route = TopicRouteOnAws(clients, RouteNames())
    route.infrastructure.provision()
    with Stubber(clients.sns) as stubber:
        if operation != "get_topic_attributes":
            stubber.add_response("get_topic_attributes", {"Attributes": {}})
        if operation == "get_subscription_attributes":
            queue = f"arn:aws:sqs:{REGION}:123456789012:{RouteNames().queue}"
            listed = {"SubscriptionArn": "arn:aws:sns:a:b:c:d", "Protocol": "sqs", "Endpoint": queue}
            stubber.add_response("list_subscriptions_by_topic", {"Subscriptions": [listed]})
        stubber.add_client_error(operation, "AuthorizationError", "not authorized to perform: SNS:X")
        if operation == "get_topic_attributes":
            stubber.add_client_error("list_subscriptions_by_topic", "AuthorizationError")

        found = route.infrastructure.diagnose()

    assert {finding.proven for finding in found} == {False}
    assert component in {finding.component for finding in found}


def test_without_credentials_no_account_is_known(clients: TopicClients) -> None:
    with Stubber(clients.sts) as stubber:
        stubber.add_client_error("get_caller_identity", "ExpiredToken")
        with pytest.raises(CredentialsRefusedError, match="asking STS for the account of the topic failed"):
            TopicRouteOnAws(clients, RouteNames()).infrastructure.inspect()


def test_an_archive_is_told_in_one_line_and_not_made(
    clients: TopicClients, caplog: pytest.LogCaptureFixture
) -> None:
    provisioning = TopicRouteOnAws(clients, RouteNames()).infrastructure.provision(archive_days=7)

    assert len(provisioning.resources) == 4
    assert [record.message for record in caplog.records if "SNS keeps no events" in record.message]
