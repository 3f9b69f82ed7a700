"""Verification of the route: the test event, and the messages of others."""

import json
from datetime import timedelta

import pytest

from domain.model.events.erased import TranscriptErased
from domain.model.events.event import TEST_EVENT_LABEL, BatchProcessingCompleted
from domain.model.events.failed import BatchProcessingFailed
from domain.model.events.kinds import EventKind
from domain.model.events.sent import StoredEvent
from domain.model.route.test_event import TEST_USER_ID, route_test_event
from domain.services.route.verification import EventVerificationService
from tests.support.doubles.queue import Clock, InMemoryQueue
from tests.support.doubles.route import Diagnosed, SwallowingBus, envelope
from tests.support.harness.verification import NOW, VerificationHarness
from tests.support.samples.factories import an_event


def test_an_event_that_arrives_verifies_the_route(ground: VerificationHarness) -> None:
    verification = ground.verify()

    assert verification.ok
    assert verification.arrived
    assert verification.messages_seen == 1
    assert verification.findings == ()


def test_the_test_event_is_valid_marked_and_carries_the_reported_id(ground: VerificationHarness) -> None:
    verification = ground.verify()

    ((event, labels),) = ground.bus.published
    assert labels == (TEST_EVENT_LABEL,)
    assert event.interaction_id == verification.test_interaction_id
    assert (event.user_id, event.timestamp, event.version) == (TEST_USER_ID, NOW, "1.0")
    assert BatchProcessingCompleted.model_validate_json(event.to_json()) == event


def test_each_verification_has_an_id_and_a_tenant_of_its_own(ground: VerificationHarness) -> None:
    ground.verify()
    ground.verify()

    (first, _), (second, _) = ground.bus.published
    assert first.interaction_id != second.interaction_id
    assert first.tenant_id != second.tenant_id


def test_the_test_event_is_deleted_once_it_was_found(ground: VerificationHarness) -> None:
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
    '{"detail": {"interaction_id": "unknown"}, "resources": 7}',
    '{"detail": {"a": NaN}}',
    "[" * 10_000,
    envelope(an_event()),
    envelope(an_event(), (TEST_EVENT_LABEL,)),
    json.dumps({"resources": [TEST_EVENT_LABEL], "detail": {"user_id": TEST_USER_ID}}),
]


def test_messages_of_every_kind_are_left_in_the_queue(ground: VerificationHarness) -> None:
    for body in FOREIGN_BODIES:
        ground.queue.send(body)

    verification = ground.verify()

    assert verification.ok
    assert verification.messages_seen == len(FOREIGN_BODIES) + 1
    assert ground.queue.bodies() == sorted(FOREIGN_BODIES)
    assert set(ground.queue.counts().values()) == {0}


def _test_event(age: timedelta, user_id: str = TEST_USER_ID) -> str:
    return envelope(an_event(user_id=user_id, timestamp=NOW - age), (TEST_EVENT_LABEL,))


def test_a_test_event_of_another_verification_is_left_to_it(ground: VerificationHarness) -> None:
    theirs = _test_event(timedelta(minutes=5))
    ground.queue.send(theirs)

    assert ground.verify().ok
    assert ground.queue.bodies() == [theirs]


def test_a_test_event_that_nobody_waits_for_any_more_is_removed(ground: VerificationHarness) -> None:
    ground.queue.send(_test_event(timedelta(minutes=16)))

    assert ground.verify().ok
    assert ground.queue.bodies() == []


def test_an_old_event_of_a_user_is_never_removed_whatever_its_label(ground: VerificationHarness) -> None:
    theirs = _test_event(timedelta(days=1), user_id="user-7")
    unmarked = envelope(an_event(user_id=TEST_USER_ID, timestamp=NOW - timedelta(days=1)))
    ground.queue.send(theirs)
    ground.queue.send(unmarked)

    assert ground.verify().ok
    assert ground.queue.bodies() == sorted([theirs, unmarked])


def test_no_number_of_verifications_dead_letters_a_message(ground: VerificationHarness) -> None:
    foreign = [envelope(an_event()) for _ in range(30)]
    for body in foreign:
        ground.queue.send(body)

    verifications = [ground.verify() for _ in range(20)]

    assert all(verification.ok for verification in verifications)
    assert ground.queue.bodies() == sorted(foreign)
    assert set(ground.queue.counts().values()) == {0}
    assert ground.dead_letters.bodies() == []


def test_no_transcript_text_is_logged(ground: VerificationHarness, caplog: pytest.LogCaptureFixture) -> None:
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


@pytest.mark.parametrize(
    ("kind", "model"), [(EventKind.FAILED, BatchProcessingFailed), (EventKind.ERASED, TranscriptErased)]
)
def test_the_route_of_another_kind_is_tested_with_an_event_of_that_kind(
    kind: EventKind, model: type[StoredEvent]
) -> None:
    ground = VerificationHarness(kind)
    left_over = route_test_event(NOW - timedelta(hours=1), kind)
    ground.queue.send(envelope(left_over, (TEST_EVENT_LABEL,)))

    verification = ground.verify()

    ((event, labels),) = ground.bus.published
    assert verification.ok
    assert isinstance(event, model)
    assert (event.user_id, event.timestamp, labels) == (TEST_USER_ID, NOW, (TEST_EVENT_LABEL,))
    assert ground.queue.bodies() == []
