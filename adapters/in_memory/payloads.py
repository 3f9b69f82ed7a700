"""Store of large transcripts in this process."""

import hashlib
from uuid import UUID

from domain.model.errors import PayloadStoreError
from domain.model.events.event import BatchProcessingCompleted, TranscriptRef
from ports.payload_store_port import PayloadStorePort, payload_key


class InMemoryPayloadStore(PayloadStorePort):
    """Stores large transcripts until the process ends."""

    BUCKET = "memory"

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:
        """Store the transcripts, replacing those of an earlier attempt."""
        key, content = (
            payload_key(event.tenant_id, event.interaction_id),
            event.data.model_dump_json().encode(),
        )
        self._objects[key] = content
        digest = hashlib.sha256(content).hexdigest()
        return TranscriptRef(bucket=self.BUCKET, key=key, size=len(content), sha256=digest)

    def get(self, ref: TranscriptRef, /) -> bytes | None:
        """Return the stored bytes."""
        if ref.bucket != self.BUCKET:
            raise PayloadStoreError(f"the reference leads to {ref.bucket!r}, not to this store")
        content = self._objects.get(ref.key)
        return None if content is None else content[: ref.size + 1]

    def erase(self, tenant_id: UUID, interaction_id: UUID, /) -> int:
        """Drop the stored bytes."""
        return int(self._objects.pop(payload_key(tenant_id, interaction_id), None) is not None)
