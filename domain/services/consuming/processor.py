"""Calls the handler for one message, and acknowledges by its result."""

from collections.abc import Callable

from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import HandlerError, PayloadStoreError
from domain.model.events.event import BatchProcessingCompletedV2
from domain.services.claim_check import restore_payload
from domain.services.consuming.acknowledger import Acknowledger
from domain.services.consuming.handler_circuit import HandlerCircuit
from domain.services.consuming.in_flight import InFlight, InFlightMessage
from domain.services.consuming.stats import ConsumerStats
from ports.event_handler_port import EventHandlerPort
from ports.payload_store_port import PayloadStorePort


class MessageProcessor:
    """Restores payloads, calls the handler and acknowledges; shared by all threads of a consumer."""

    def __init__(
        self,
        handler: EventHandlerPort,  # is called from several threads
        # the store that references of large events may point to; None for none
        payloads: PayloadStorePort | None,
        acknowledger: Acknowledger,
        in_flight: InFlight,
        circuit: HandlerCircuit,
        stats: ConsumerStats,
        clock: Callable[[], float],  # monotonic seconds
    ) -> None:
        self._handler = handler
        self._payloads = payloads
        self._acknowledger = acknowledger
        self._in_flight = in_flight
        self._circuit = circuit
        self._stats = stats
        self._clock = clock
        self._aborted = False

    def process(self, message: InFlightMessage) -> None:
        """Handle one message that was started; never raises for a failed handler."""
        try:
            received = self._received(message)
            if received is not None:
                self._handler.handle(received)
        except (HandlerError, PayloadStoreError) as error:
            self._failed(message, str(error))
        except BaseException as error:  # noqa: BLE001 - foreign code may raise anything; signals reach the main thread
            self._failed(message, f"the handler raised {type(error).__name__}")
        else:
            if received is None:
                self._acknowledger.ack_erased([message], "the object with its transcripts does not exist")
                return
            self._circuit.succeeded()
            self._acknowledger.ack(self._in_flight.complete(message, self._clock()))

    def flush(self) -> None:
        """Acknowledge every completed message now."""
        self._acknowledger.ack(self._in_flight.drain_completed())

    def abort(self) -> None:
        """Abort running handlers; their messages are released."""
        self._aborted = True
        self._handler.abort()

    def _received(self, message: InFlightMessage) -> ReceivedEvent | None:
        """Return what the handler gets; None where the event's transcripts were erased."""
        event, queued = message.envelope.event, message.message
        if isinstance(event, BatchProcessingCompletedV2):
            restored = restore_payload(event, self._payloads)
            if restored is None:
                return None
            event = restored
        return ReceivedEvent(
            event, message.envelope.replay, queued.receive_count, queued.sent_at, queued.traceparent
        )

    def _failed(self, message: InFlightMessage, reason: str) -> None:
        now = self._clock()
        self._in_flight.measure(message, now)
        if self._aborted:
            self._acknowledger.release([message])
            return
        if self._circuit.failed(message.key, reason, now):
            self._stats.count_pause()
        if self._circuit.retains(message):
            self._acknowledger.retain(message, reason)
        else:
            self._acknowledger.nack(message, reason)
