"""Transport probe port: sends a test event, and reports what became of it."""

from abc import abstractmethod
from typing import Protocol

from domain.model.events.sent import StoredEvent
from domain.model.route.probe import ProbeReport


class TransportProbePort(Protocol):
    """Probe of a transport whose far end this service does not provision."""

    @abstractmethod
    def probe(self, event: StoredEvent, /) -> ProbeReport:
        """Send a test event with the test label, once.

        Args:
            event: a valid event that consumers skip by its label.

        Returns:
            What was seen on the way, and the faults; without a fault the transport accepted the event. Raises
            no error of the transport.
        """
        ...
