"""Large transcripts leave by another way than the event (the claim check pattern)."""

import logging
from collections.abc import Sequence

from domain.model.errors import EventBusUnavailableError, EventTooLargeError, PayloadStoreError
from domain.model.events.event import BatchProcessingCompleted, BatchProcessingCompletedV2, CompletedEvent
from ports.event_port import EventPort, PublishOutcome
from ports.payload_store_port import PayloadStorePort

logger = logging.getLogger(__name__)

HOW_TO_SEND_IT = "set PAYLOAD_BUCKET and retry it: nothing is cut"


class ClaimCheck(EventPort):
    """Sends what a bus finds too large as version 2.0, with the transcripts in a store beside it.

    The bus decides what is too large, so that a bus that takes less than is documented is served as well. The
    transcripts are stored before the event that refers to them is sent: whoever reads it finds them.
    """

    def __init__(self, events: EventPort, payloads: PayloadStorePort | None) -> None:
        self._events = events
        self._payloads = payloads

    def publish_all(
        self, events: Sequence[CompletedEvent], /, *, labels: tuple[str, ...] = ()
    ) -> tuple[PublishOutcome, ...]:
        """Hand the events over as they are, and once more by reference where they are too large.

        Without a store an event that is too large stays `EventTooLargeError`, and the message says what to
        do. A store that fails is `EventBusUnavailableError`: it may be tried again.
        """
        outcomes = self._events.publish_all(events, labels=labels)
        return tuple(
            self._by_reference(event, outcome, labels) if isinstance(outcome, EventTooLargeError) else outcome
            for event, outcome in zip(events, outcomes, strict=True)
        )

    def _by_reference(
        self, event: CompletedEvent, refusal: EventTooLargeError, labels: tuple[str, ...]
    ) -> PublishOutcome:
        if not isinstance(event, BatchProcessingCompleted):
            return refusal
        if self._payloads is None:
            return EventTooLargeError(f"{refusal}; {HOW_TO_SEND_IT}")
        try:
            ref = self._payloads.store(event)
        except PayloadStoreError as error:
            return EventBusUnavailableError(f"the event is too large for the bus, and {error}")
        logger.info(
            "transcripts stored beside the event",
            extra={"interaction_id": str(event.interaction_id), "size": ref.size},
        )
        (outcome,) = self._events.publish_all(
            (BatchProcessingCompletedV2.referring(event, ref),), labels=labels
        )
        return outcome
