import logging
from uuid import uuid4

import pytest

from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventRejectedError,
    EventTooLargeError,
)
from domain.model.events.event import Publication, PublicationStatus
from domain.model.outbox import EventLease, Postponed, Published, Rejected
from domain.services.publishing.outcomes import log_outcome, outcome_for, publish_safely, update_breaker
from domain.services.resilience.circuit_breaker import CircuitBreaker
from tests.support.doubles.delivery import ACCEPTED, AnsweringEventPublisher, seeded
from tests.support.doubles.transcription import FailingEventPublisher
from tests.support.samples.factories import an_event


def a_lease(attempts: int = 0) -> EventLease:
    return EventLease(an_event(raw_transcript="a secret plan"), uuid4(), attempts)


def test_an_accepted_event_is_published_with_its_receipt() -> None:
    lease = a_lease()

    assert outcome_for(lease, ACCEPTED, seeded(1)) == Published(lease, "event-1")


@pytest.mark.parametrize("error", [EventRejectedError("malformed"), EventTooLargeError("too large")])
def test_only_what_is_wrong_with_the_event_rejects_it(error: EventRejectedError) -> None:
    lease = a_lease()

    assert outcome_for(lease, error, seeded(1)) == Rejected(lease, str(error))


def test_an_event_waits_longer_the_more_often_it_failed() -> None:
    early = outcome_for(a_lease(0), EventBusUnavailableError("away"), seeded(1))
    late = outcome_for(a_lease(5), EventBusUnavailableError("away"), seeded(1))

    assert isinstance(early, Postponed)
    assert isinstance(late, Postponed)
    assert early.is_attempt
    assert late.delay_seconds == 32 * early.delay_seconds > 0


def test_where_we_are_refused_the_event_has_not_failed() -> None:
    lease = a_lease()

    outcome = outcome_for(lease, EventBusRefusesUsError("access denied"), seeded(1))

    assert outcome == Postponed(lease, 0.0, "access denied", is_attempt=False)


def test_a_transport_that_keeps_nothing_has_published_nothing() -> None:
    outcome = outcome_for(a_lease(), Publication(PublicationStatus.DISABLED), seeded(1))

    assert isinstance(outcome, Postponed)
    assert outcome.reason == "the transport answered disabled"


def test_a_defect_of_the_transport_is_an_outcome_for_each_event_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes = publish_safely(FailingEventPublisher(RuntimeError("a defect")), [an_event(), an_event()])

    assert [str(outcome) for outcome in outcomes] == ["unexpected error in the transport: RuntimeError"] * 2
    assert [type(outcome) for outcome in outcomes] == [EventBusUnavailableError] * 2
    assert caplog.records[0].exc_info


def test_outcomes_that_do_not_fit_the_events_are_believed_of_none() -> None:
    class Miscounting(AnsweringEventPublisher):
        def publish_all(self, events, /, *, labels=(), traceparents=()):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as its parent's
            return super().publish_all(events, labels=labels, traceparents=traceparents)[1:]

    outcomes = publish_safely(Miscounting(), [an_event(), an_event()])

    assert [str(outcome) for outcome in outcomes] == ["the transport returned 1 outcomes for 2 events"] * 2


def test_the_log_names_event_and_interaction_and_quotes_no_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lease = a_lease()

    log_outcome(Published(lease, "event-1"), "com.example")
    log_outcome(Rejected(lease, "malformed"), "com.example")
    log_outcome(Postponed(lease, 1.0, "away"), "com.example")

    assert [record.levelname for record in caplog.records] == ["INFO", "ERROR", "DEBUG"]
    assert vars(caplog.records[0])["event_id"] == "event-1"
    assert vars(caplog.records[1])["error"] == "malformed"
    for record in caplog.records:
        assert vars(record)["interaction_id"] == str(lease.interaction_id)
        assert vars(record)["source"] == "com.example"
        assert vars(record)["detail_type"] == "BatchProcessingCompleted"
        assert "secret" not in str(vars(record))


def test_a_bus_that_asks_to_wait_is_not_asked_before() -> None:
    busy = EventBusUnavailableError("busy")
    busy.retry_after_seconds = 300.0
    breaker = CircuitBreaker()

    outcome = outcome_for(a_lease(), busy, seeded(1))
    update_breaker(breaker, [busy])

    assert isinstance(outcome, Postponed)
    assert (outcome.delay_seconds, outcome.is_attempt) == (300.0, True)
    assert breaker.reason == "busy"
