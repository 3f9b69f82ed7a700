"""Verification of a transport that is not on AWS: sends a test event, and reports what became of it."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from domain.model.clock import utc_now
from domain.model.errors import EventPublishError
from domain.model.events.event import TEST_EVENT_LABEL, PublicationStatus
from domain.model.events.kinds import EventKind
from domain.model.events.sent import StoredEvent
from domain.model.route.probe import Observation, ProbeReport, TransportVerification
from domain.model.route.route import Finding, RouteComponent
from domain.model.route.test_event import route_test_event
from ports.event_port import EventPort
from ports.transport_probe_port import TransportProbePort

logger = logging.getLogger(__name__)


class PublishingProbe(TransportProbePort):
    """Probe of any transport: publishes the event, and reports the error that the transport raises."""

    def __init__(self, events: EventPort) -> None:
        self._events = events

    def probe(self, event: StoredEvent, /) -> ProbeReport:
        """Publish the event; the receipt is the observation."""
        try:
            publication = self._events.publish(event, labels=(TEST_EVENT_LABEL,))
        except EventPublishError as error:
            return ProbeReport((), (_not_published(str(error)),))
        if publication.status is not PublicationStatus.PUBLISHED:
            return ProbeReport((), (_not_published(f"the transport answered {publication.status}"),))
        return ProbeReport((Observation("receipt", str(publication.event_id)),))


def _not_published(evidence: str) -> Finding:
    return Finding(
        RouteComponent.PUBLISH,
        "the test event could not be published",
        evidence,
        "Correct what the message names; real events fail for the same reason, and are kept.",
    )


class TransportVerificationService:
    """Sends a test event by a transport's probe; what receives it behind the transport is not seen."""

    def __init__(
        self,
        probe: TransportProbePort,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._probe = probe
        self._clock = clock
        self._now = now

    def verify(self, kind: EventKind = EventKind.COMPLETED) -> TransportVerification:
        """Send one test event of a kind."""
        event = route_test_event(self._now(), kind)
        logger.info("verifying the transport", extra={"interaction_id": str(event.interaction_id)})
        started = self._clock()
        report = self._probe.probe(event)
        return TransportVerification(event.interaction_id, self._clock() - started, report)
