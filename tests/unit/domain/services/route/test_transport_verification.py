"""Verification of a transport that others provision: one labelled event, and what became of it."""

import pytest

from adapters.in_memory import InMemoryEventPublisher
from adapters.noop import NoOpEventPublisher
from domain.model.errors import EventBusUnavailableError, EventRejectedError
from domain.model.events.event import TEST_EVENT_LABEL
from domain.model.events.kinds import EventKind
from domain.model.route.route import RouteComponent
from domain.services.route.transport_verification import PublishingProbe, TransportVerificationService
from tests.support.doubles.transcription import FailingEventPublisher


@pytest.mark.parametrize("kind", [EventKind.COMPLETED, EventKind.FAILED])
def test_a_test_event_is_sent_with_its_label(kind: EventKind) -> None:
    events = InMemoryEventPublisher()

    verification = TransportVerificationService(PublishingProbe(events)).verify(kind)

    (event,) = events.accepted
    assert verification.ok
    assert event.interaction_id == verification.test_interaction_id
    assert kind.detail_type == event.DETAIL_TYPE
    assert events.labels == ((TEST_EVENT_LABEL,),)
    assert [step for step, _ in verification.report.observations] == ["receipt"]


@pytest.mark.parametrize("error", [EventBusUnavailableError("no route to host"), EventRejectedError("no")])
def test_the_error_of_the_transport_is_the_evidence(error: Exception) -> None:
    verification = TransportVerificationService(PublishingProbe(FailingEventPublisher(error))).verify()

    (finding,) = verification.report.findings
    assert not verification.ok
    assert (finding.component, finding.evidence) == (RouteComponent.PUBLISH, str(error))
    assert finding.remedy


def test_a_transport_that_drops_events_does_not_work() -> None:
    verification = TransportVerificationService(PublishingProbe(NoOpEventPublisher("tests"))).verify()

    assert not verification.ok
    assert verification.report.findings[0].evidence == "the transport answered disabled"


def test_the_time_is_that_of_the_transport() -> None:
    clock = iter([100.0, 102.5])
    service = TransportVerificationService(
        PublishingProbe(InMemoryEventPublisher()), clock=lambda: next(clock)
    )

    assert service.verify().seconds == 2.5
