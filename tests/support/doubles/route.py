"""The route in memory: buses with and without a queue, and a route with given findings."""

import json
from collections.abc import Callable, Sequence
from uuid import uuid4

from domain.model.errors import EventPublishError
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from domain.model.route.route import Finding, ProvisionedResource, ProvisioningReport, RouteComponent
from domain.model.route.status import Inspection, RemovedResource
from ports.event_infrastructure_port import EventInfrastructurePort
from ports.event_port import EventPort, PublishOutcome, Traceparents
from tests.support.doubles.queue import InMemoryQueue


def envelope(event: SentEvent, labels: tuple[str, ...] = ()) -> str:
    """Build the envelope in which a bus delivers an event."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": event.DETAIL_TYPE,
            "source": "com.yourapp.transcription",
            "account": "000000000000",
            "time": "2026-11-23T18:00:00Z",
            "region": "us-east-1",
            "resources": list(labels),
            "detail": event.model_dump(mode="json"),
        }
    )


class Bus(EventPort):
    """Delivers each event to a queue at once, with a change that the test defines."""

    def __init__(self, queue: InMemoryQueue, change: Callable[[str], str] = lambda body: body) -> None:
        self._queue = queue
        self._change = change
        self.published: list[tuple[SentEvent, tuple[str, ...]]] = []

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),  # noqa: ARG002 - the queue of the test has no place for it
    ) -> tuple[PublishOutcome, ...]:
        for event in events:
            self.published.append((event, labels))
            self._queue.send(self._change(envelope(event, labels)))
        return (Publication(PublicationStatus.PUBLISHED, "event-1"),) * len(events)


class SwallowingBus(EventPort):
    """Accepts or refuses every event, and delivers none."""

    def __init__(
        self,
        status: PublicationStatus = PublicationStatus.PUBLISHED,
        error: EventPublishError | None = None,
    ) -> None:
        self._status = status
        self._error = error
        self.published: list[SentEvent] = []

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),  # noqa: ARG002 - nothing is delivered
        traceparents: Traceparents = (),  # noqa: ARG002 - same
    ) -> tuple[PublishOutcome, ...]:
        self.published.extend(events)
        return (self._error or Publication(self._status),) * len(events)


class Diagnosed(EventInfrastructurePort):
    """A route with the findings that the test defines."""

    def __init__(self, *findings: Finding) -> None:
        self._findings = findings

    def provision(self, *, archive_days: int | None = None) -> ProvisioningReport:  # noqa: ARG002 - there is none
        resource = ProvisionedResource(RouteComponent.QUEUE, "orders", created=True)
        return ProvisioningReport(
            (resource,), "queue address", "dead-letter address", "rule identifier", self._findings
        )

    def repair(self, *, archive_days: int | None = None) -> ProvisioningReport:
        return self.provision(archive_days=archive_days)

    def inspect(self, *, archive_days: int | None = None) -> Inspection:  # noqa: ARG002 - there is none
        return Inspection(())

    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:  # noqa: ARG002 - nothing is there
        return ()

    def diagnose(self) -> tuple[Finding, ...]:
        return self._findings
