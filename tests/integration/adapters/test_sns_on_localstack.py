"""Contracts of publisher and route on SNS, and a verification of a real route, on LocalStack."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.aws.trace_header import TRACEPARENT
from domain.model.events.cloud_event import cloud_event
from domain.model.events.event import TEST_EVENT_LABEL
from domain.model.route.route import RouteComponent, RouteNames, Verification
from domain.model.route.test_event import route_test_event
from domain.services.route.verification import EventVerificationService
from tests.contracts.event_infrastructure.topics import TopicRouteContract, failed_beside
from tests.contracts.event_port import Delivery, EventPortContract, Transport
from tests.integration.conftest import Names
from tests.support.aws.topic_routes import TopicClients, TopicRouteOnAws
from tests.support.aws.topics import (
    QueueBehindTopic,
    address_of,
    sns_publisher,
    unreachable_sns_publisher,
)
from tests.support.samples.factories import A_TRACEPARENT, a_failure, an_event

SHORT = 1.0
"""Seconds to wait for an event that cannot arrive."""


@pytest.fixture
def clients(aws: Callable[..., Any]) -> TopicClients:
    return TopicClients(*map(aws, ("sns", "sqs", "kms", "cloudwatch", "sts")))


@pytest.fixture
def route_names(names: Names) -> RouteNames:
    return RouteNames(queue=names.queue, dead_letter_queue=names.dlq, topic=f"topic-{names.queue}")


@pytest.fixture
def route(clients: TopicClients, route_names: RouteNames) -> TopicRouteOnAws:
    """Provision a sound route."""
    route = TopicRouteOnAws(clients, route_names)
    assert route.infrastructure.provision().ok
    return route


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "enveloped"])
class TestSnsPublisherOnLocalStack(EventPortContract):
    @pytest.fixture
    def transport(self, aws: Callable[..., Any], names: Names, *, raw: bool) -> Transport:
        sns, topic, sts = aws("sns"), f"topic-{names.queue}", aws("sts")
        queue = QueueBehindTopic(sns, aws("sqs"), topic=topic, queue=names.queue, raw=raw)
        return Transport(
            sns_publisher(sns, address_of(topic, sts)),
            queue.arrivals,
            Delivery(unknown_bus_is_refused=True, cannot_carry=frozenset({"a day of talk"})),  # of 256 KiB
            to_unknown_bus=sns_publisher(sns, address_of(f"{topic}-nowhere", sts)),
            unreachable=unreachable_sns_publisher(),
        )


class TestTopicRouteOnLocalStack(TopicRouteContract):
    @pytest.fixture
    def clients(self, clients: TopicClients) -> TopicClients:
        return clients

    @pytest.fixture
    def names(self, route_names: RouteNames) -> RouteNames:
        return route_names


def verify(route: TopicRouteOnAws, seconds: float = 30) -> Verification:
    service = EventVerificationService(
        route.publisher, route.queue, route.dead_letters, route.infrastructure, kind=route.names.kind
    )
    return service.verify(seconds)


@pytest.mark.parametrize("raw", ["true", "false"])
def test_a_sound_route_is_verified_and_messages_of_others_stay(route: TopicRouteOnAws, raw: str) -> None:
    route.set_subscription(RawMessageDelivery=raw)
    route.send("a message of others")

    verification = verify(route)

    assert verification.ok
    (other,) = route.queue.receive(10, visibility_timeout=30, wait_seconds=2)
    assert (other.body, other.receive_count) == ("a message of others", 1)


def test_each_kind_of_event_reaches_its_own_queue(clients: TopicClients, route: TopicRouteOnAws) -> None:
    failed = TopicRouteOnAws(clients, failed_beside(route.names))
    assert failed.infrastructure.provision().ok
    done, broken = an_event(), a_failure()

    route.publisher.publish_all([done, broken], traceparents=[A_TRACEPARENT, None])

    (completed,) = route.queue.receive(10, visibility_timeout=30, wait_seconds=5)
    (other,) = failed.queue.receive(10, visibility_timeout=30, wait_seconds=5)
    assert str(done.interaction_id) in completed.body
    assert str(broken.interaction_id) in other.body
    assert completed.traceparent == A_TRACEPARENT
    assert other.traceparent is None
    named = {name: value.text for name, value in completed.attributes.named.items()}
    assert named == {
        "detail-type": "BatchProcessingCompleted",
        "source": "com.yourapp.transcription",
        "tenant_id": str(done.tenant_id),
        TRACEPARENT: A_TRACEPARENT,
    }


@pytest.mark.parametrize(
    ("damage", "component"),
    [
        (TopicRouteOnAws.delete_topic, RouteComponent.TOPIC),
        (TopicRouteOnAws.unsubscribe, RouteComponent.SUBSCRIPTION),
        (
            lambda route: route.set_subscription(FilterPolicy='{"detail-type": ["Other"]}'),
            RouteComponent.FILTER_POLICY,
        ),
    ],
    ids=["topic", "subscription", "filter policy"],
)
def test_a_broken_component_is_named_with_its_remedy(
    route: TopicRouteOnAws, damage: Callable[[TopicRouteOnAws], None], component: RouteComponent
) -> None:
    damage(route)

    verification = verify(route, SHORT)

    assert not verification.arrived
    assert component in {finding.component for finding in verification.findings}
    assert route.infrastructure.repair().ok
    assert verify(route).ok


def test_a_left_over_test_event_is_removed_in_either_form(route: TopicRouteOnAws) -> None:
    old = cloud_event(
        route_test_event(datetime(2020, 1, 1, tzinfo=UTC)),
        source=route.names.source,
        labels=(TEST_EVENT_LABEL,),
    ).decode()
    route.send(old)
    route.send(json.dumps({"Type": "Notification", "Message": old}))

    assert verify(route).ok
    assert route.queue.depth().waiting == 0


def test_a_redriven_dead_letter_is_the_message_that_it_was(route: TopicRouteOnAws) -> None:
    event = an_event()
    route.publisher.publish(event)
    (sent,) = route.queue.receive(1, visibility_timeout=0, wait_seconds=5)
    bodies = {sent.body}
    for _ in range(4):
        bodies |= {message.body for message in route.queue.receive(1, visibility_timeout=0, wait_seconds=1)}

    (dead,) = route.dead_letters.receive(1, visibility_timeout=30, wait_seconds=5)
    (copy,) = route.queue.resend([dead])
    (again,) = route.queue.receive(1, visibility_timeout=30, wait_seconds=5)

    assert copy.id
    assert bodies == {dead.body, again.body} == {sent.body}
    assert again.attributes.named == sent.attributes.named
    assert dead.delivery_failure is None


def test_what_sns_cannot_deliver_goes_to_the_dead_letter_queue(
    clients: TopicClients, route: TopicRouteOnAws
) -> None:
    url = clients.sqs.get_queue_url(QueueName=route.names.queue)["QueueUrl"]
    clients.sqs.delete_queue(QueueUrl=url)
    event = an_event()

    route.publisher.publish(event)

    (dead,) = route.dead_letters.receive(1, visibility_timeout=30, wait_seconds=10)
    assert str(event.interaction_id) in dead.body


def test_the_topic_of_another_installation_is_another_one(
    clients: TopicClients, route: TopicRouteOnAws
) -> None:
    neighbour = TopicRouteOnAws(
        clients,
        replace(
            route.names,
            topic=f"{route.names.topic}-2",
            queue=f"{route.names.queue}-2",
            dead_letter_queue=f"{route.names.dead_letter_queue}-2",
        ),
    )
    neighbour.infrastructure.provision()

    route.infrastructure.remove(force=True)

    assert verify(neighbour).ok
