"""From an event that refers to its transcripts to the one that holds them (the claim check pattern)."""

import hashlib

from pydantic import ValidationError

from domain.model.errors import PayloadStoreError
from domain.model.events.event import (
    BatchProcessingCompleted,
    BatchProcessingCompletedV2,
    TranscriptData,
    TranscriptRef,
)
from ports.payload_store_port import KEY_PREFIX, PayloadStorePort

MAX_PAYLOAD_BYTES = 256 * 2**20
"""More than the texts of any recording; a reference to more is a mistake, or meant to fill our memory."""


def redeem(event: BatchProcessingCompletedV2, payloads: PayloadStorePort | None) -> BatchProcessingCompleted:
    """The same event as version 1.0, with the transcripts that its reference leads to.

    Raises:
        PayloadStoreError: they cannot be had, belong to another tenant, or are not what was stored: size or
            SHA-256 differ.
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
