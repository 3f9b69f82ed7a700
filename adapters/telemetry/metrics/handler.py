"""Decorator around the handler of a consumer."""

from adapters.telemetry.metrics.instruments import Metrics
from domain.model.consuming.received import ReceivedEvent
from ports.event_handler_port import EventHandlerPort


class MeteredEventHandler(EventHandlerPort):
    """Measures how long the handler takes, also where it fails."""

    def __init__(self, handler: EventHandlerPort, metrics: Metrics, *, group: str) -> None:
        self._handler = handler
        self._seconds = metrics.handling.labels(group)

    def handle(self, received: ReceivedEvent, /) -> None:
        """Handle an event, and record the time."""
        with self._seconds.time():
            self._handler.handle(received)

    def abort(self) -> None:
        """Interrupt running calls."""
        self._handler.abort()
