"""Example payloads of the contract: each event in each version, the object that 2.0 refers to, envelopes."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from domain.model.events.erased import ErasureCause, ErasureData, TranscriptErased
from domain.model.events.event import (
    BatchProcessingCompleted,
    BatchProcessingCompletedV2,
    TranscriptData,
    TranscriptRef,
)
from domain.model.events.failed import BatchProcessingFailed, FailureData
from domain.model.events.sent import SentEvent

TRANSCRIPTS = TranscriptData(
    raw_transcript="um please open the the window", cleaned_transcript="Please open the window."
)
EXAMPLE = BatchProcessingCompleted(
    interaction_id=UUID("7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de"),
    tenant_id=UUID("3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"),
    user_id="alice",
    account_id=None,
    timestamp=datetime(2026, 11, 23, 18, tzinfo=UTC),
    data=TRANSCRIPTS,
)
FAILURE = FailureData(
    reason="undecodable-audio", detail="The recording holds no sound that can be decoded.", retryable=False
)
ERASURE = ErasureData(requested_by="alice", cause=ErasureCause.REQUEST, at=EXAMPLE.timestamp)


def example_event(model: type[SentEvent]) -> SentEvent:
    """Return the example of a type in one of its versions."""
    return next(example for known, example in _EXAMPLES.items() if issubclass(model, known))


def example_object() -> str:
    """Return the object to which the example of version 2.0 refers, byte for byte."""
    return TRANSCRIPTS.model_dump_json()


def example_envelope(model: type[SentEvent], source: str) -> dict[str, object]:
    """Return the example as EventBridge puts it into the queue."""
    return {
        "version": "0",
        "id": "0d1d4a27-8f3e-4c57-9c55-0d9b1c7f2a11",
        "detail-type": model.DETAIL_TYPE,
        "source": source,
        "account": "123456789012",
        "time": "2026-11-23T18:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": json.loads(example_event(model).to_json()),
    }


def _referring() -> BatchProcessingCompletedV2:
    content = example_object().encode()
    ref = TranscriptRef(
        bucket="acme-transcripts",
        key=f"transcripts/{EXAMPLE.tenant_id}/{EXAMPLE.interaction_id}.json",
        size=len(content),
        sha256=sha256(content).hexdigest(),
    )
    return BatchProcessingCompletedV2.referring(EXAMPLE, ref)


_FIELDS = EXAMPLE.model_dump(include={"interaction_id", "tenant_id", "user_id", "account_id", "timestamp"})
_EXAMPLES: Mapping[type[SentEvent], SentEvent] = {
    BatchProcessingCompleted: EXAMPLE,
    BatchProcessingCompletedV2: _referring(),
    BatchProcessingFailed: BatchProcessingFailed(**_FIELDS, data=FAILURE),
    TranscriptErased: TranscriptErased(**_FIELDS, data=ERASURE),
}
