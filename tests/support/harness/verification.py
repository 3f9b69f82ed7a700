"""A verification over a route in memory."""

from collections.abc import Callable
from datetime import UTC, datetime

from domain.model.events.kinds import EventKind
from domain.model.route.route import Finding, RouteComponent, Verification
from domain.services.route.verification import EventVerificationService
from ports.event_port import EventPort
from tests.support.doubles.queue import BreakingQueue, Clock
from tests.support.doubles.route import Bus, Diagnosed

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class VerificationHarness:
    """A route in memory on one clock; the queue is fed by `bus`."""

    def __init__(self, kind: EventKind = EventKind.COMPLETED) -> None:
        self.kind = kind
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
            kind=self.kind,
            clock=self.clock,
            pause=self.clock.advance,
            now=lambda: NOW,
        )
        return service.verify(timeout_seconds)

    def changed(self, change: Callable[[str], str]) -> Bus:
        return Bus(self.queue, change)


def components_of(verification: Verification) -> list[RouteComponent]:
    """List the components of the findings."""
    return [finding.component for finding in verification.findings]
