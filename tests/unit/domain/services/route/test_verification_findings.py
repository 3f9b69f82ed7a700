"""Findings of a verification whose event does not arrive, or arrives changed."""

import json
from collections.abc import Callable

import pytest

from domain.model.errors import EventBusUnavailableError, InfrastructureError
from domain.model.events.event import PublicationStatus
from domain.model.route.route import Finding, RouteComponent
from tests.support.doubles.queue import failing_with
from tests.support.doubles.route import Bus, SwallowingBus
from tests.support.harness.verification import VerificationHarness, components_of

BROKEN_RULE = Finding(RouteComponent.RULE, "the rule is disabled", "its state", "enable it")
UNREADABLE_KEY = Finding(
    RouteComponent.ENCRYPTION, "could not be checked", "denied", "allow it", proven=False
)


def _only_detail(body: str) -> str:
    return json.dumps(json.loads(body)["detail"])


def _without_user(body: str) -> str:
    message = json.loads(body)
    del message["detail"]["user_id"]
    return json.dumps(message)


def _another_text(body: str) -> str:
    message = json.loads(body)
    message["detail"]["data"]["raw_transcript"] = "other"
    return json.dumps(message)


@pytest.mark.parametrize(
    ("change", "evidence"),
    [
        (_only_detail, "the message is no envelope with a detail"),
        (_without_user, "the detail breaks schema 1.0 at user_id"),
        (_another_text, "the detail holds other values"),
    ],
)
def test_an_event_that_arrives_changed_is_a_finding(
    ground: VerificationHarness, change: Callable[[str], str], evidence: str
) -> None:
    verification = ground.verify(ground.changed(change))

    assert verification.arrived
    assert not verification.ok
    assert components_of(verification) == [RouteComponent.TARGET]
    assert verification.findings[0].evidence == evidence
    assert ground.queue.bodies() == []


@pytest.mark.parametrize("seconds", [30, 7])
def test_an_event_that_does_not_arrive_in_time_fails_with_the_broken_link(
    ground: VerificationHarness, seconds: float
) -> None:
    verification = ground.verify(SwallowingBus(), BROKEN_RULE, timeout_seconds=seconds)

    assert not verification.arrived
    assert verification.seconds == seconds
    assert verification.findings == (BROKEN_RULE,)


def test_a_sound_route_leaves_another_consumer_as_the_reason(ground: VerificationHarness) -> None:
    ground.queue.send("foreign")
    ground.queue.receive(1, visibility_timeout=600)

    verification = ground.verify(SwallowingBus())

    assert components_of(verification) == [RouteComponent.CONSUMER]
    assert verification.findings[0].evidence == "0 messages wait, 1 are in flight, 0 were examined"


@pytest.mark.parametrize(
    ("findings", "last"),
    [([UNREADABLE_KEY], RouteComponent.CONSUMER), ([UNREADABLE_KEY, BROKEN_RULE], RouteComponent.RULE)],
    ids=["not proven", "proven"],
)
def test_a_proven_fault_alone_rules_out_another_consumer(
    ground: VerificationHarness, findings: list[Finding], last: RouteComponent
) -> None:
    components = components_of(ground.verify(SwallowingBus(), *findings))

    assert components == [RouteComponent.ENCRYPTION, last]


def test_a_queue_that_may_not_be_counted_still_gets_a_reason(ground: VerificationHarness) -> None:
    ground.queue.before["depth"] = failing_with(InfrastructureError("may not count"))

    (finding,) = ground.verify(SwallowingBus()).findings

    assert (finding.component, finding.evidence) == (RouteComponent.CONSUMER, "may not count")


def test_a_queue_too_long_to_be_looked_through_is_said_to_be(ground: VerificationHarness) -> None:
    ground.queue.before["receive"] = lambda: ground.clock.advance(4)
    for number in range(100):
        ground.queue.send(str(number))

    verification = ground.verify(SwallowingBus())

    assert components_of(verification) == [RouteComponent.QUEUE, RouteComponent.CONSUMER]
    assert "100 messages wait" in verification.findings[0].evidence


def test_a_test_event_that_was_dead_lettered_is_found_and_removed_there(ground: VerificationHarness) -> None:
    ground.dead_letters.send("someone's dead letter")
    bus = Bus(ground.dead_letters)

    verification = ground.verify(bus)

    assert components_of(verification) == [RouteComponent.DEAD_LETTER_QUEUE]
    assert ground.dead_letters.bodies() == ["someone's dead letter"]
    assert ground.dead_letters.depth().waiting == 1


def test_many_dead_letters_do_not_keep_the_verdict_waiting(ground: VerificationHarness) -> None:
    for number in range(1000):
        ground.dead_letters.send(str(number))

    assert components_of(ground.verify(SwallowingBus())) == [RouteComponent.CONSUMER]
    assert len(ground.dead_letters.received) == 500
    assert ground.dead_letters.depth().in_flight == 0


def test_a_missing_dead_letter_queue_leaves_the_verdict_standing(ground: VerificationHarness) -> None:
    ground.dead_letters.before["receive"] = failing_with(InfrastructureError("no such queue"))

    assert components_of(ground.verify(SwallowingBus())) == [RouteComponent.CONSUMER]


@pytest.mark.parametrize("problem", ["no queue: provision", "no sqs:SendMessage"])
def test_a_queue_without_a_way_back_is_told_before_anything_is_published_or_received(
    ground: VerificationHarness, problem: str
) -> None:
    ground.queue.send("foreign")
    ground.queue.before["check_permissions"] = failing_with(InfrastructureError(problem))

    with pytest.raises(InfrastructureError, match=problem):
        ground.verify()

    assert ground.bus.published == []
    assert ground.queue.counts() == {"foreign": 0}


def test_an_event_that_cannot_be_published_names_that_link_and_the_broken_ones(
    ground: VerificationHarness,
) -> None:
    bus = SwallowingBus(error=EventBusUnavailableError("no credentials"))

    verification = ground.verify(bus, BROKEN_RULE)

    assert components_of(verification) == [RouteComponent.PUBLISH, RouteComponent.RULE]
    assert verification.findings[0].evidence == "no credentials"
    assert verification.seconds == 0
    assert ground.queue.received == []


def test_publishing_that_is_switched_off_is_a_finding(ground: VerificationHarness) -> None:
    verification = ground.verify(SwallowingBus(PublicationStatus.DISABLED))

    assert components_of(verification) == [RouteComponent.PUBLISH]
    assert "EVENT_TRANSPORT" in verification.findings[0].remedy


def test_a_search_that_was_broken_off_says_so_and_blames_no_link_of_the_route(
    ground: VerificationHarness,
) -> None:
    ground.queue.send("foreign")
    ground.queue.refuse_copies = -1

    verification = ground.verify(ground.bus, BROKEN_RULE)

    assert not verification.arrived
    assert components_of(verification) == [RouteComponent.QUEUE]
    assert "AccessDenied" in verification.findings[0].evidence
    assert "foreign" in ground.queue.bodies()
