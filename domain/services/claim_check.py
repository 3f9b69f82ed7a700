"""Claim check: stores large transcripts beside the event, and restores them from its reference."""

import hashlib
import logging
from collections.abc import Sequence

from pydantic import ValidationError

from domain.model.errors import EventBusUnavailableError, EventTooLargeError, PayloadStoreError
from domain.model.events.event import (
    BatchProcessingCompleted,
    BatchProcessingCompletedV2,
    TranscriptData,
    TranscriptRef,
)
from domain.model.events.failed import SentEvent
from ports.event_port import EventPort, PublishOutcome
from ports.payload_store_port import KEY_PREFIX, PayloadStorePort

logger = logging.getLogger(__name__)

MAX_PAYLOAD_BYTES = 256 * 2**20
"""More than the transcripts of any recording have: a larger reference is a mistake or an attack on memory."""

HOW_TO_SEND_IT = "set PAYLOAD_BUCKET and retry it: nothing is cut"


class ClaimCheck(EventPort):
    """Sends events that are too large for the bus as version 2.0, with the transcripts in a payload store.

    The bus decides which events are too large, so a bus that takes less than documented works as well. The
    transcripts are stored before the event that refers to them is sent, so every consumer finds them.
    """

    def __init__(self, events: EventPort, payloads: PayloadStorePort | None) -> None:
        self._events = events
        self._payloads = payloads

    def publish_all(
        self, events: Sequence[SentEvent], /, *, labels: tuple[str, ...] = ()
    ) -> tuple[PublishOutcome, ...]:
        """Publish the events as they are, and those that are too large again by reference.

        Without a payload store, an event that is too large remains an `EventTooLargeError`; its message says
        what to do. A failure of the store is an `EventBusUnavailableError`: the event may be sent again.
        """
        outcomes = self._events.publish_all(events, labels=labels)
        return tuple(
            self._by_reference(event, outcome, labels) if isinstance(outcome, EventTooLargeError) else outcome
            for event, outcome in zip(events, outcomes, strict=True)
        )

    def _by_reference(
        self, event: SentEvent, refusal: EventTooLargeError, labels: tuple[str, ...]
    ) -> PublishOutcome:
        if not isinstance(event, BatchProcessingCompleted):
            return refusal
        if self._payloads is None:
            return EventTooLargeError(f"{refusal}; {HOW_TO_SEND_IT}")
        try:
            ref = self._payloads.store(event)
        except PayloadStoreError as error:
            failure = EventBusUnavailableError(f"the event is too large for the bus, and {error}")
            failure.__cause__ = error
            return failure
        logger.info(
            "transcripts stored beside the event",
            extra={"interaction_id": str(event.interaction_id), "size": ref.size},
        )
        (outcome,) = self._events.publish_all(
            (BatchProcessingCompletedV2.referring(event, ref),), labels=labels
        )
        return outcome


def restore_payload(
    event: BatchProcessingCompletedV2, payloads: PayloadStorePort | None
) -> BatchProcessingCompleted:
    """Return the event as version 1.0, with the transcripts that its reference names.

    Raises:
        PayloadStoreError: the transcripts cannot be read, belong to another tenant, or differ from those
            stored in size or SHA-256.
    """
    ref = event.data.transcript_ref
    if not ref.key.startswith(f"{KEY_PREFIX}{event.tenant_id}/"):
        raise PayloadStoreError(f"{ref.key!r} is not among the transcripts of the event's tenant")
    if payloads is None:
        raise PayloadStoreError(
            f"the transcripts lie in the bucket {ref.bucket!r}, and none may be read: set PAYLOAD_BUCKET"
        )
    return BatchProcessingCompleted(
        interaction_id=event.interaction_id,
        tenant_id=event.tenant_id,
        user_id=event.user_id,
        account_id=event.account_id,
        timestamp=event.timestamp,
        data=_transcripts(_verified(payloads, ref), ref),
    )


def _verified(payloads: PayloadStorePort, ref: TranscriptRef) -> bytes:
    if ref.size > MAX_PAYLOAD_BYTES:
        raise PayloadStoreError(f"the reference says {ref.size} bytes; at most {MAX_PAYLOAD_BYTES} are read")
    content = payloads.get(ref)
    if len(content) != ref.size:
        found = f"more than {ref.size}" if len(content) > ref.size else str(len(content))
        raise PayloadStoreError(f"{ref.key!r} has {found} bytes; the reference says {ref.size}")
    if hashlib.sha256(content).hexdigest() != ref.sha256:
        raise PayloadStoreError(f"{ref.key!r} does not have the SHA-256 that the reference says")
    return content


def _transcripts(content: bytes, ref: TranscriptRef) -> TranscriptData:
    try:
        return TranscriptData.model_validate_json(content)
    except ValidationError as error:
        raise PayloadStoreError(
            f"{ref.key!r} holds no transcripts: {error.error_count()} values break the schema"
        ) from None
