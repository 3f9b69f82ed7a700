import hashlib
from uuid import UUID

import pytest

from adapters.in_memory import InMemoryPayloadStore
from domain.model.errors import PayloadStoreError
from domain.model.events.event import BatchProcessingCompleted, BatchProcessingCompletedV2, TranscriptRef
from domain.services.claim_check import MAX_PAYLOAD_BYTES, restore_payload
from ports.payload_store_port import PayloadStorePort
from tests.support.samples.factories import an_event


class Objects(PayloadStorePort):
    """Payload store with the content that the test sets."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:
        raise NotImplementedError

    def get(self, ref: TranscriptRef, /) -> bytes:
        return self._content[: ref.size + 1]

    def erase(self, tenant_id: UUID, interaction_id: UUID, /) -> int:
        raise NotImplementedError


def referring(event: BatchProcessingCompleted, **changes: object) -> BatchProcessingCompletedV2:
    """Return the event as version 2.0, with changes to its reference."""
    ref = InMemoryPayloadStore().store(event)
    return BatchProcessingCompletedV2.referring(event, ref.model_copy(update=changes))


def stored(event: BatchProcessingCompleted) -> Objects:
    return Objects(event.data.model_dump_json().encode())


def test_an_event_gets_back_its_transcripts_and_keeps_everything_else() -> None:
    event = an_event(raw_transcript="Grüße 你好 " * 1000)

    assert restore_payload(referring(event), stored(event)) == event


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"key": "transcripts/of-another-tenant/letter.json"}, "not among the transcripts of"),
        ({"size": 10}, "more than 10 bytes"),
        ({"size": 10_000}, "the reference says 10000"),
        ({"size": MAX_PAYLOAD_BYTES + 1}, "at most"),
    ],
)
def test_what_is_not_what_was_stored_is_refused(changes: dict[str, object], reason: str) -> None:
    event = an_event(raw_transcript="a secret")

    with pytest.raises(PayloadStoreError, match=reason) as refusal:
        restore_payload(referring(event, **changes), stored(event))
    assert "a secret" not in str(refusal.value)


def test_an_object_that_is_no_transcripts_is_refused_without_quoting_it() -> None:
    content = b'{"raw_transcript": 7, "cleaned_transcript": "a secret"}'
    changes = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    with pytest.raises(PayloadStoreError, match="holds no transcripts") as refusal:
        restore_payload(referring(an_event(), **changes), Objects(content))
    assert "a secret" not in str(refusal.value)


def test_without_a_store_the_message_names_the_bucket_and_what_to_do() -> None:
    with pytest.raises(PayloadStoreError, match=r"'memory'.*set PAYLOAD_BUCKET"):
        restore_payload(referring(an_event()), None)
