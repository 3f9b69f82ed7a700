"""Verifying the route: what is published, what is found, and what is deduced where nothing is."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.model.errors import EventBusUnavailableError, InfrastructureError
from domain.model.events.event import TEST_EVENT_LABEL, BatchProcessingCompleted, PublicationStatus
from domain.model.route.route import Finding, RouteComponent, Verification
from domain.model.route.test_event import TEST_USER_ID
from domain.services.route.verification import EventVerificationService
from ports.event_port import EventPort
from tests.support.doubles.queue import BreakingQueue, Clock, InMemoryQueue, failing_with
from tests.support.doubles.route import Bus, Diagnosed, SwallowingBus, envelope
from tests.support.samples.factories import an_event

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BROKEN_RULE = Finding(RouteComponent.RULE, "the rule is disabled", "its state", "enable it")
UNREADABLE_KEY = Finding(
    RouteComponent.ENCRYPTION, "could not be checked", "denied", "allow it", proven=False
)


class Ground:
    """A route in memory on one clock; the queue is fed by `bus`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.dead_letters = BreakingQueue(self.clock)
        self.queue = BreakingQueue(self.clock, dead_letters=self.dead_letters)
        self.bus = Bus(self.queue)

    def verify(
        self, events: EventPort | None = None, *findings: Finding, timeout_seconds: float = 30
    ) -> Verification:
        service = EventVerificationService(
            events or self.bus,
            self.queue,
            self.dead_letters,
            Diagnosed(*findings),
            clock=self.clock,
            pause=self.clock.advance,
            now=lambda: NOW,
        )
        return service.verify(timeout_seconds)

    def changed(self, change: Callable[[str], str]) -> Bus:
        return Bus(self.queue, change)


@pytest.fixture
def ground() -> Ground:
    return Ground()


def links(verification: Verification) -> list[RouteComponent]:
    return [finding.component for finding in verification.findings]


def test_an_event_that_arrives_verifies_the_route(ground: Ground) -> None:
    verification = ground.verify()

    assert verification.ok
    assert verification.arrived
    assert verification.messages_seen == 1
    assert verification.findings == ()


def test_the_test_event_is_valid_marked_and_carries_the_reported_id(ground: Ground) -> None:
    verification = ground.verify()

    ((event, labels),) = ground.bus.published
    assert labels == (TEST_EVENT_LABEL,)
    assert event.interaction_id == verification.test_interaction_id
    assert (event.user_id, event.timestamp, event.version) == (TEST_USER_ID, NOW, "1.0")
    assert BatchProcessingCompleted.model_validate_json(event.to_json()) == event


def test_each_verification_has_an_id_and_a_tenant_of_its_own(ground: Ground) -> None:
    ground.verify()
    ground.verify()

    (first, _), (second, _) = ground.bus.published
    assert first.interaction_id != second.interaction_id
    assert first.tenant_id != second.tenant_id


def test_the_test_event_is_deleted_once_it_was_found(ground: Ground) -> None:
    ground.verify()

    assert ground.queue.bodies() == []


FOREIGN_BODIES = [
    "not json",
    "",
    "[]",
    "null",
    '"text"',
    "{}",
    '{"detail": "text"}',
    '{"detail": {"interaction_id": "nobody"}, "resources": 7}',
    '{"detail": {"a": NaN}}',
    "[" * 10_000,
    envelope(an_event()),
    envelope(an_event(), (TEST_EVENT_LABEL,)),
    json.dumps({"resources": [TEST_EVENT_LABEL], "detail": {"user_id": TEST_USER_ID}}),
]


def test_messages_of_every_kind_are_left_in_the_queue(ground: Ground) -> None:
    for body in FOREIGN_BODIES:
        ground.queue.send(body)

    verification = ground.verify()

    assert verification.ok
    assert verification.messages_seen == len(FOREIGN_BODIES) + 1
    assert ground.queue.bodies() == sorted(FOREIGN_BODIES)
    assert set(ground.queue.counts().values()) == {0}


def _test_event(age: timedelta, user_id: str = TEST_USER_ID) -> str:
    return envelope(an_event(user_id=user_id, timestamp=NOW - age), (TEST_EVENT_LABEL,))


def test_a_test_event_of_another_verification_is_left_to_it(ground: Ground) -> None:
    theirs = _test_event(timedelta(minutes=5))
    ground.queue.send(theirs)

    assert ground.verify().ok
    assert ground.queue.bodies() == [theirs]


def test_a_test_event_that_nobody_waits_for_any_more_is_removed(ground: Ground) -> None:
    ground.queue.send(_test_event(timedelta(minutes=16)))

    assert ground.verify().ok
    assert ground.queue.bodies() == []


def test_an_old_event_of_a_user_is_never_removed_whatever_its_label(ground: Ground) -> None:
    theirs = _test_event(timedelta(days=1), user_id="user-7")
    unmarked = envelope(an_event(user_id=TEST_USER_ID, timestamp=NOW - timedelta(days=1)))
    ground.queue.send(theirs)
    ground.queue.send(unmarked)

    assert ground.verify().ok
    assert ground.queue.bodies() == sorted([theirs, unmarked])


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
    ground: Ground, change: Callable[[str], str], evidence: str
) -> None:
    verification = ground.verify(ground.changed(change))

    assert verification.arrived
    assert not verification.ok
    assert links(verification) == [RouteComponent.TARGET]
    assert verification.findings[0].evidence == evidence
    assert ground.queue.bodies() == []


def test_an_event_that_does_not_arrive_in_time_fails_with_the_broken_link(ground: Ground) -> None:
    verification = ground.verify(SwallowingBus(), BROKEN_RULE)

    assert not verification.arrived
    assert verification.seconds == 30
    assert verification.findings == (BROKEN_RULE,)


def test_the_wait_can_be_shorter(ground: Ground) -> None:
    assert ground.verify(SwallowingBus(), timeout_seconds=7).seconds == 7


def test_a_sound_route_leaves_another_consumer_as_the_reason(ground: Ground) -> None:
    ground.queue.send("foreign")
    ground.queue.receive(1, visibility_timeout=600)

    verification = ground.verify(SwallowingBus())

    assert links(verification) == [RouteComponent.CONSUMER]
    assert verification.findings[0].evidence == "0 messages wait, 1 are in flight, 0 were examined"


def test_what_could_not_be_checked_does_not_rule_out_another_consumer(ground: Ground) -> None:
    assert links(ground.verify(SwallowingBus(), UNREADABLE_KEY)) == [
        RouteComponent.ENCRYPTION,
        RouteComponent.CONSUMER,
    ]


def test_a_proven_fault_rules_out_another_consumer(ground: Ground) -> None:
    assert links(ground.verify(SwallowingBus(), UNREADABLE_KEY, BROKEN_RULE)) == [
        RouteComponent.ENCRYPTION,
        RouteComponent.RULE,
    ]


def test_a_queue_that_may_not_be_counted_still_gets_a_reason(ground: Ground) -> None:
    ground.queue.before["depth"] = failing_with(InfrastructureError("may not count"))

    (finding,) = ground.verify(SwallowingBus()).findings

    assert (finding.component, finding.evidence) == (RouteComponent.CONSUMER, "may not count")


def test_a_queue_too_long_to_be_looked_through_is_said_to_be(ground: Ground) -> None:
    ground.queue.before["receive"] = lambda: ground.clock.advance(4)
    for number in range(100):
        ground.queue.send(str(number))

    verification = ground.verify(SwallowingBus())

    assert links(verification) == [RouteComponent.QUEUE, RouteComponent.CONSUMER]
    assert "100 messages wait" in verification.findings[0].evidence


def test_a_test_event_that_was_dead_lettered_is_found_and_removed_there(ground: Ground) -> None:
    ground.dead_letters.send("someone's dead letter")
    bus = Bus(ground.dead_letters)

    verification = ground.verify(bus)

    assert links(verification) == [RouteComponent.DEAD_LETTER_QUEUE]
    assert ground.dead_letters.bodies() == ["someone's dead letter"]
    assert ground.dead_letters.depth().waiting == 1


def test_many_dead_letters_do_not_keep_the_verdict_waiting(ground: Ground) -> None:
    for number in range(1000):
        ground.dead_letters.send(str(number))

    assert links(ground.verify(SwallowingBus())) == [RouteComponent.CONSUMER]
    assert len(ground.dead_letters.received) == 500
    assert ground.dead_letters.depth().in_flight == 0


def test_a_missing_dead_letter_queue_leaves_the_verdict_standing(ground: Ground) -> None:
    ground.dead_letters.before["receive"] = failing_with(InfrastructureError("no such queue"))

    assert links(ground.verify(SwallowingBus())) == [RouteComponent.CONSUMER]


def test_a_missing_queue_is_told_before_anything_is_published(ground: Ground) -> None:
    ground.queue.before["check_permissions"] = failing_with(InfrastructureError("no queue: provision"))

    with pytest.raises(InfrastructureError, match="no queue: provision"):
        ground.verify()

    assert ground.bus.published == []
    assert ground.queue.received == []


def test_without_a_way_back_twenty_verifications_touch_no_message(ground: Ground) -> None:
    ground.queue.send("foreign")
    ground.queue.before["check_permissions"] = failing_with(InfrastructureError("no sqs:SendMessage"))

    for _ in range(20):
        with pytest.raises(InfrastructureError, match="SendMessage"):
            ground.verify()

    assert ground.queue.counts() == {"foreign": 0}


def test_an_event_that_cannot_be_published_names_that_link_and_the_broken_ones(ground: Ground) -> None:
    bus = SwallowingBus(error=EventBusUnavailableError("no credentials"))

    verification = ground.verify(bus, BROKEN_RULE)

    assert links(verification) == [RouteComponent.PUBLISH, RouteComponent.RULE]
    assert verification.findings[0].evidence == "no credentials"
    assert verification.seconds == 0
    assert ground.queue.received == []


def test_publishing_that_is_switched_off_is_a_finding(ground: Ground) -> None:
    verification = ground.verify(SwallowingBus(PublicationStatus.DISABLED))

    assert links(verification) == [RouteComponent.PUBLISH]
    assert "EVENT_TRANSPORT" in verification.findings[0].remedy


def test_a_search_that_was_broken_off_says_so_and_blames_no_link_of_the_route(ground: Ground) -> None:
    ground.queue.send("foreign")
    ground.queue.refuse_copies = -1

    verification = ground.verify(ground.bus, BROKEN_RULE)

    assert not verification.arrived
    assert links(verification) == [RouteComponent.QUEUE]
    assert "AccessDenied" in verification.findings[0].evidence
    assert "foreign" in ground.queue.bodies()


def test_no_number_of_verifications_dead_letters_a_message(ground: Ground) -> None:
    foreign = [envelope(an_event()) for _ in range(30)]
    for body in foreign:
        ground.queue.send(body)

    verifications = [ground.verify() for _ in range(20)]

    assert all(verification.ok for verification in verifications)
    assert ground.queue.bodies() == sorted(foreign)
    assert set(ground.queue.counts().values()) == {0}
    assert ground.dead_letters.bodies() == []


def test_no_transcript_text_is_logged(ground: Ground, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    ground.queue.send(envelope(an_event(raw_transcript="a secret sentence")))

    ground.verify()

    assert caplog.records
    assert all("secret" not in str(vars(record)) for record in caplog.records)


def test_the_clock_is_the_only_thing_that_waits() -> None:
    clock = Clock()
    queue = InMemoryQueue(clock)
    service = EventVerificationService(
        SwallowingBus(), queue, InMemoryQueue(clock), Diagnosed(), clock=clock, pause=clock.advance
    )

    assert service.verify(300).seconds == 300
