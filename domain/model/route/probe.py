"""Result of probing a transport whose far end this service does not provision."""

from typing import NamedTuple
from uuid import UUID

from domain.model.route.route import Finding


class Observation(NamedTuple):
    """Result of one step on the way to the transport."""

    step: str  # such as name, TLS or answer
    found: str


class ProbeReport(NamedTuple):
    """Result of sending one test event."""

    observations: tuple[Observation, ...]  # in the order of the steps, up to the first that failed
    findings: tuple[Finding, ...] = ()  # faults; empty where the transport accepted the event


class TransportVerification(NamedTuple):
    """Verification of a transport with one test event."""

    test_interaction_id: UUID
    seconds: float  # from just before sending until the answer
    report: ProbeReport

    @property
    def ok(self) -> bool:
        """True where the transport accepted the event."""
        return not self.report.findings
