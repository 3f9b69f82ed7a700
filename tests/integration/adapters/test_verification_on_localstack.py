"""Verification of a real route, on LocalStack: findings, conclusions, and unharmed messages of others."""

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config

from adapters.aws.eventbridge.publisher import EventBridgePublisher
from domain.model.errors import InfrastructureError
from domain.model.events.event import TEST_EVENT_LABEL
from domain.model.events.sent import SentEvent
from domain.model.route.route import RouteComponent, RouteNames, Verification
from domain.services.route.verification import EventVerificationService
from ports.event_port import EventPort, PublishOutcome, Traceparents
from ports.queue_port import QueueMessage
from tests.integration.conftest import Names
from tests.support.aws.event_bridges import unreachable_publisher
from tests.support.aws.routes import Clients, RouteOnAws
from tests.support.doubles.route import envelope
from tests.support.samples.factories import an_event

SHORT = 1.0
"""Seconds to wait for an event that cannot arrive."""


@pytest.fixture(scope="module")
def clients(aws: Callable[..., Any]) -> Clients:
    """Return a client with a connection for each poller of several verifications."""
    config = Config(max_pool_connections=40)
    return Clients(*(aws(service, config=config) for service in ("events", "sqs", "kms", "cloudwatch")))


@pytest.fixture
def route(clients: Clients, names: Names) -> RouteOnAws:
    """Provision a sound route on a bus of its own."""
    clients.events.create_event_bus(Name=names.bus)
    route = RouteOnAws(
        clients,
        RouteNames(bus=names.bus, rule=names.rule, queue=names.queue, dead_letter_queue=names.dlq),
    )
    assert route.infrastructure.provision().ok
    return route


class _OthersFirst(EventPort):
    """Publisher that lets a consumer receive before the verification does."""

    def __init__(self, events: EventPort, consume: Callable[[], object]) -> None:
        self._events = events
        self._consumer = threading.Thread(target=consume)
        self._consumer.start()

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        outcomes = self._events.publish_all(events, labels=labels, traceparents=traceparents)
        self._consumer.join()
        return outcomes


def _verify(
    route: RouteOnAws, timeout_seconds: float = 30, *, before: Callable[[], object] | None = None
) -> Verification:
    names = route.names
    events: EventPort = EventBridgePublisher(
        route.clients.events, bus_name=names.bus, source=names.source, region="us-east-1"
    )
    if before:
        events = _OthersFirst(events, before)
    service = EventVerificationService(events, route.queue, route.dead_letters, route.infrastructure)
    return service.verify(timeout_seconds)


def _take(route: RouteOnAws) -> tuple[QueueMessage, ...]:
    """Receive the next message as a consumer does, and wait for it without limit."""
    return route.queue.receive(1, visibility_timeout=60, wait_seconds=20)


def _links(verification: Verification) -> list[RouteComponent]:
    return [finding.component for finding in verification.findings]


def _fill(route: RouteOnAws, bodies: list[str]) -> None:
    """Send messages, at most ten a call, within its size limit."""
    for start in range(0, len(bodies), 10):
        entries = [
            {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[start : start + 10])
        ]
        answer = route.clients.sqs.send_message_batch(QueueUrl=route.queue_url, Entries=entries)
        assert len(answer["Successful"]) == len(entries)


def _take_everything(route: RouteOnAws) -> list[tuple[str, int]]:
    """Return body and receive count of all visible messages."""
    taken: list[tuple[str, int]] = []
    while messages := route.queue.receive(10, visibility_timeout=120):
        taken += [(message.body, message.receive_count) for message in messages]
    return sorted(taken)


def test_a_sound_route_delivers_the_test_event_and_the_queue_is_left_empty(route: RouteOnAws) -> None:
    verification = _verify(route)

    assert verification.ok
    assert verification.messages_seen == 1
    assert route.queue.depth() == (0, 0)


def test_consumers_see_the_label_beside_a_strict_event(route: RouteOnAws) -> None:
    seen: list[str] = []

    def peek() -> None:
        messages = _take(route)
        seen.extend(message.body for message in messages)
        route.queue.release(messages)

    verification = _verify(route, before=peek)

    assert verification.ok
    message = json.loads(seen[0])
    assert message["resources"] == [TEST_EVENT_LABEL]
    assert message["detail-type"] == "BatchProcessingCompleted"
    assert message["detail"]["interaction_id"] == str(verification.test_interaction_id)


def test_no_number_of_verifications_dead_letters_messages_of_others(route: RouteOnAws) -> None:
    foreign = [envelope(an_event()) for _ in range(20)] + ["not json", '{"detail": 7}', "[]"]
    _fill(route, foreign)

    for _ in range(20):
        assert _verify(route).ok

    assert route.dead_letters.depth() == (0, 0)
    assert _take_everything(route) == [(body, 1) for body in sorted(foreign)]


def test_not_even_when_the_test_event_never_arrives(route: RouteOnAws) -> None:
    foreign = [envelope(an_event()) for _ in range(5)]
    _fill(route, foreign)
    route.remove_target()

    for _ in range(5):
        assert _links(_verify(route, SHORT)) == [RouteComponent.TARGET]

    assert route.dead_letters.depth() == (0, 0)
    assert _take_everything(route) == [(body, 1) for body in sorted(foreign)]


def test_what_a_consumer_would_see_is_the_same_as_before(route: RouteOnAws) -> None:
    attributes = {"note": {"DataType": "String", "StringValue": "hällo"}}
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a9"}}
    route.clients.sqs.send_message(
        QueueUrl=route.queue_url,
        MessageBody="foreign",
        MessageAttributes=attributes,
        MessageSystemAttributes=header,
    )

    assert _verify(route).ok

    (message,) = route.clients.sqs.receive_message(
        QueueUrl=route.queue_url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert (message["Body"], message["MessageAttributes"]) == ("foreign", attributes)
    assert message["Attributes"]["AWSTraceHeader"] == "Root=1-5759e988-bd862e3fe1be46a9"
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_the_test_event_is_found_among_thousands(route: RouteOnAws) -> None:
    foreign = [f"foreign-{number:05}" for number in range(3000)]
    _fill(route, foreign)

    verification = _verify(route)

    assert verification.ok
    assert verification.messages_seen > 2900
    assert route.queue.depth() == (3000, 0)
    assert route.dead_letters.depth() == (0, 0)


def test_large_messages_are_put_back_too(route: RouteOnAws) -> None:
    foreign = [letter * 1_000_000 for letter in "abc"]
    for body in foreign:
        _fill(route, [body])

    assert _verify(route).ok
    assert _take_everything(route) == [(body, 1) for body in foreign]


def test_verifications_at_the_same_time_find_their_own_events(route: RouteOnAws) -> None:
    foreign = [f"foreign-{number:02}" for number in range(30)]
    _fill(route, foreign)

    with ThreadPoolExecutor(4) as pool:
        verifications = list(pool.map(lambda _: _verify(route), range(4)))

    assert all(verification.ok for verification in verifications)
    assert len({verification.test_interaction_id for verification in verifications}) == 4
    assert _take_everything(route) == [(body, 1) for body in foreign]
    assert route.dead_letters.depth() == (0, 0)


def test_a_missing_queue_is_told_at_once(route: RouteOnAws) -> None:
    route.delete_queue()

    with pytest.raises(InfrastructureError, match=r"does not exist: run `transcripts provision`"):
        _verify(route, timeout_seconds=3600)  # longer than the time limit of a test


def test_a_missing_bus_is_deduced_although_it_says_yes(route: RouteOnAws) -> None:
    route.delete_bus()

    assert _links(_verify(route, SHORT)) == [RouteComponent.BUS]


def test_a_missing_rule_is_deduced(route: RouteOnAws) -> None:
    route.delete_rule()

    assert _links(_verify(route, SHORT)) == [RouteComponent.RULE]


def test_a_disabled_rule_is_deduced_although_localstack_delivers_through_it(route: RouteOnAws) -> None:
    route.disable_rule()

    assert [finding.component for finding in route.infrastructure.diagnose()] == [RouteComponent.RULE]


@pytest.mark.parametrize(
    "source", ["com.other", {"prefix": "com.other"}, {"anything-but": "com.yourapp.transcription"}]
)
def test_another_pattern_is_deduced(route: RouteOnAws, source: object) -> None:
    route.put_rule({"source": [source]})

    assert _links(_verify(route, SHORT)) == [RouteComponent.PATTERN]


def test_a_missing_target_is_deduced(route: RouteOnAws) -> None:
    route.remove_target()

    assert _links(_verify(route, SHORT)) == [RouteComponent.TARGET]


def test_another_queue_as_target_is_deduced(route: RouteOnAws) -> None:
    other = route.clients.sqs.create_queue(QueueName=f"other-{route.names.queue}")["QueueUrl"]
    arn = route.clients.sqs.get_queue_attributes(QueueUrl=other, AttributeNames=["QueueArn"])
    route.put_target(Arn=arn["Attributes"]["QueueArn"])

    verification = _verify(route, SHORT)

    assert _links(verification) == [RouteComponent.TARGET]
    assert "other-" in verification.findings[0].evidence


def test_a_target_that_changes_events_is_found_by_what_arrives(route: RouteOnAws) -> None:
    route.put_target(Arn=route.attributes()["QueueArn"], InputPath="$.detail")

    verification = _verify(route)

    assert verification.arrived
    assert _links(verification) == [RouteComponent.TARGET]
    assert route.queue.depth() == (0, 0)


def test_a_queue_policy_that_refuses_is_deduced(route: RouteOnAws) -> None:
    route.set_policy({**route.wanted_statement(), "Principal": {"Service": "sns.amazonaws.com"}})

    assert [finding.component for finding in route.infrastructure.diagnose()] == [RouteComponent.QUEUE_POLICY]


def test_a_key_that_shuts_eventbridge_out_is_deduced(route: RouteOnAws) -> None:
    route.set_attributes(KmsMasterKeyId="alias/aws/sqs")

    assert [finding.component for finding in route.infrastructure.diagnose()] == [RouteComponent.ENCRYPTION]


def test_a_key_that_does_not_exist_is_deduced(route: RouteOnAws) -> None:
    route.set_attributes(KmsMasterKeyId="11111111-2222-4333-8444-555555555555")

    (finding,) = route.infrastructure.diagnose()

    assert finding.component is RouteComponent.ENCRYPTION
    assert "does not exist" in finding.evidence


def test_another_consumer_that_took_the_test_event_is_deduced(route: RouteOnAws) -> None:
    verification = _verify(route, SHORT, before=lambda: route.queue.delete(_take(route)))

    assert _links(verification) == [RouteComponent.CONSUMER]
    assert verification.findings[0].evidence == "0 messages wait, 0 are in flight, 0 were examined"


def test_a_consumer_that_holds_the_test_event_shows_as_in_flight(route: RouteOnAws) -> None:
    verification = _verify(route, SHORT, before=lambda: _take(route))

    assert _links(verification) == [RouteComponent.CONSUMER]
    assert "1 are in flight" in verification.findings[0].evidence


def test_a_consumer_that_fails_on_the_test_event_sends_it_to_the_dead_letters(route: RouteOnAws) -> None:
    def fail_three_times() -> None:
        for _ in range(3):
            route.queue.release(_take(route))

    verification = _verify(route, SHORT, before=fail_three_times)

    assert _links(verification) == [RouteComponent.DEAD_LETTER_QUEUE]
    assert route.dead_letters.depth() == (0, 0)


def test_a_bus_out_of_reach_is_the_broken_link(route: RouteOnAws) -> None:
    service = EventVerificationService(
        unreachable_publisher(), route.queue, route.dead_letters, route.infrastructure
    )

    verification = service.verify(SHORT)

    assert _links(verification) == [RouteComponent.PUBLISH]
    assert route.queue.depth() == (0, 0)
