"""Claim check: stores large transcripts beside the event, and restores them from its reference."""

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pydantic import ValidationError

from domain.model.errors import EventBusUnavailableError, EventTooLargeError, PayloadStoreError
from domain.model.events.event import (
    BatchProcessingCompleted,
    BatchProcessingCompletedV2,
    TranscriptData,
    TranscriptRef,
)
from domain.model.events.sent import SentEvent
from ports.event_port import MAX_BATCH, EventPort, PublishOutcome, Traceparents, contexts_for
from ports.payload_store_port import KEY_PREFIX, PayloadStorePort

logger = logging.getLogger(__name__)

MAX_PAYLOAD_BYTES = 256 * 2**20
"""More than the transcripts of any recording have: a larger reference is a mistake or an attack on memory."""

HOW_TO_SEND_IT = "set PAYLOAD_BUCKET and retry it: nothing is cut"


STORE_THREADS = 10
"""Transcripts that one call stores at the same time."""


class ClaimCheck(EventPort):
    """Sends completed events as version 2.0, with the transcripts in a payload store.

    By default only those that are too large: the bus decides which, so a bus that takes less than documented
    works as well. The transcripts are stored before the event that refers to them is sent, so every consumer
    finds them.
    """

    def __init__(
        self,
        events: EventPort,
        payloads: PayloadStorePort | None,
        *,
        always: bool = False,  # send all completed events as 2.0, so that erasing one object reaches them
    ) -> None:
        self._events = events
        self._payloads = payloads
        self._always = always

    @property
    def batch_size(self) -> int:
        """Return the transport's, or a smaller one if a call may store the transcripts of all its events."""
        return self._events.batch_size if self._payloads is None else MAX_BATCH

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Publish the events as they are, and those that are too large again by reference; or always so.

        Without a payload store, an event that is too large remains an `EventTooLargeError`; its message says
        what to do. A failure of the store is an `EventBusUnavailableError`: the event may be sent again.
        """
        contexts = contexts_for(events, traceparents)
        if self._always and self._payloads is not None:
            return self._by_reference(self._payloads, list(zip(events, contexts, strict=True)), labels)
        outcomes = self._events.publish_all(events, labels=labels, traceparents=traceparents)
        refused = [at for at, event in enumerate(events) if _is_for_reference(event, outcomes[at])]
        if self._payloads is None:
            again: tuple[PublishOutcome, ...] = tuple(
                EventTooLargeError(f"{outcomes[at]}; {HOW_TO_SEND_IT}") for at in refused
            )
        else:
            again = self._by_reference(self._payloads, [(events[at], contexts[at]) for at in refused], labels)
        later = dict(zip(refused, again, strict=True))
        return tuple(later.get(at, outcome) for at, outcome in enumerate(outcomes))

    def _by_reference(
        self,
        payloads: PayloadStorePort,
        events: Sequence[tuple[SentEvent, str | None]],  # with their trace contexts
        labels: tuple[str, ...],
    ) -> tuple[PublishOutcome, ...]:
        """Store all transcripts, at the same time, and send the events whose transcripts are stored."""
        if not events:
            return ()
        with ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="payloads") as threads:
            prepared = list(threads.map(partial(_referring, payloads), (event for event, _ in events)))
        ready = [
            (event, context)
            for event, (_, context) in zip(prepared, events, strict=True)
            if not isinstance(event, EventBusUnavailableError)
        ]
        outcomes = iter(self._sent(ready, labels))
        return tuple(
            event if isinstance(event, EventBusUnavailableError) else next(outcomes) for event in prepared
        )

    def _sent(
        self, events: Sequence[tuple[SentEvent, str | None]], labels: tuple[str, ...]
    ) -> tuple[PublishOutcome, ...]:
        if not events:
            return ()
        contexts = tuple(context for _, context in events)
        return self._events.publish_all([event for event, _ in events], labels=labels, traceparents=contexts)


def _is_for_reference(event: SentEvent, outcome: PublishOutcome) -> bool:
    return isinstance(outcome, EventTooLargeError) and isinstance(event, BatchProcessingCompleted)


def _referring(payloads: PayloadStorePort, event: SentEvent) -> SentEvent | EventBusUnavailableError:
    """Store the transcripts of an event, and return it as 2.0; return one without transcripts as it is."""
    if not isinstance(event, BatchProcessingCompleted):
        return event
    try:
        ref = payloads.store(event)
    except PayloadStoreError as error:
        failure = EventBusUnavailableError(f"the transcripts go beside the event, and {error}")
        failure.__cause__ = error
        return failure
    logger.info(
        "transcripts stored beside the event",
        extra={"interaction_id": str(event.interaction_id), "size": ref.size},
    )
    return BatchProcessingCompletedV2.referring(event, ref)


def restore_payload(
    event: BatchProcessingCompletedV2, payloads: PayloadStorePort | None
) -> BatchProcessingCompleted | None:
    """Return the event as version 1.0, with the transcripts that its reference names; None if they are gone.

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
    content = _verified(payloads, ref)
    if content is None:
        return None
    return BatchProcessingCompleted(
        interaction_id=event.interaction_id,
        tenant_id=event.tenant_id,
        user_id=event.user_id,
        account_id=event.account_id,
        timestamp=event.timestamp,
        data=_transcripts(content, ref),
    )


def _verified(payloads: PayloadStorePort, ref: TranscriptRef) -> bytes | None:
    if ref.size > MAX_PAYLOAD_BYTES:
        raise PayloadStoreError(f"the reference says {ref.size} bytes; at most {MAX_PAYLOAD_BYTES} are read")
    content = payloads.get(ref)
    if content is None:
        return None
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
