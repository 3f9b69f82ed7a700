"""Factories of valid objects; a test sets only the fields that it is about."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from domain.model.events.erased import ErasureCause, ErasureData, TranscriptErased
from domain.model.events.event import (
    BatchProcessingCompleted,
    BatchProcessingCompletedV2,
    TranscriptData,
    TranscriptRef,
)
from domain.model.events.failed import BatchProcessingFailed, FailureData

A_MOMENT = datetime(2026, 11, 23, 18, 0, 0, 123456, tzinfo=UTC)
A_TRACEPARENT = "00-4efaaf4d1e8720b39541901950019ee5-53995c3f42cd8ad8-01"
ANOTHER_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def an_event(
    *,
    interaction_id: UUID | None = None,
    tenant_id: UUID | None = None,
    user_id: str = "user-7",
    account_id: str | None = "account-9",
    timestamp: datetime = A_MOMENT,
    raw_transcript: str = "um hello hello world",
    cleaned_transcript: str = "Hello world.",
) -> BatchProcessingCompleted:
    """Build a valid event; identifiers are new unless given."""
    return BatchProcessingCompleted(
        interaction_id=interaction_id or uuid4(),
        tenant_id=tenant_id or uuid4(),
        user_id=user_id,
        account_id=account_id,
        timestamp=timestamp,
        data=TranscriptData(raw_transcript=raw_transcript, cleaned_transcript=cleaned_transcript),
    )


def a_referring_event(event: BatchProcessingCompleted | None = None) -> BatchProcessingCompletedV2:
    """Build an event of version 2.0, with its transcripts in a store."""
    ref = TranscriptRef(bucket="a-bucket", key="transcripts/a/b.json", size=7, sha256="0f" * 32)
    return BatchProcessingCompletedV2.referring(event or an_event(), ref)


def a_failure(
    *,
    interaction_id: UUID | None = None,
    tenant_id: UUID | None = None,
    timestamp: datetime = A_MOMENT,
    reason: str = "undecodable-audio",
    detail: str = "The recording holds no sound that can be decoded.",
    retryable: bool = False,
) -> BatchProcessingFailed:
    """Build a valid event of a recording that failed; identifiers are new unless given."""
    return BatchProcessingFailed(
        interaction_id=interaction_id or uuid4(),
        tenant_id=tenant_id or uuid4(),
        user_id="user-7",
        account_id="account-9",
        timestamp=timestamp,
        data=FailureData(reason=reason, detail=detail, retryable=retryable),
    )


def an_erasure(
    *,
    interaction_id: UUID | None = None,
    tenant_id: UUID | None = None,
    timestamp: datetime = A_MOMENT,
    requested_by: str = "user-7",
    cause: ErasureCause = ErasureCause.REQUEST,
) -> TranscriptErased:
    """Build a valid event of a transcript that was erased; identifiers are new unless given."""
    return TranscriptErased(
        interaction_id=interaction_id or uuid4(),
        tenant_id=tenant_id or uuid4(),
        user_id="user-7",
        account_id="account-9",
        timestamp=timestamp,
        data=ErasureData(requested_by=requested_by, cause=cause, at=timestamp),
    )


def trace_of(traceparent: str | None) -> str:
    """Return the trace id of a context."""
    assert traceparent
    return traceparent.split("-")[1]
