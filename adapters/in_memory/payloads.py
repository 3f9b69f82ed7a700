"""Store of large transcripts in this process."""

import hashlib

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
        key, content = payload_key(event), event.data.model_dump_json().encode()
        self._objects[key] = content
        digest = hashlib.sha256(content).hexdigest()
        return TranscriptRef(bucket=self.BUCKET, key=key, size=len(content), sha256=digest)

    def get(self, ref: TranscriptRef, /) -> bytes:
        """Return the stored bytes."""
        if ref.bucket != self.BUCKET:
            raise PayloadStoreError(f"the reference leads to {ref.bucket!r}, not to this store")
        if ref.key not in self._objects:
            raise PayloadStoreError(f"there is nothing stored under {ref.key!r}")
        return self._objects[ref.key][: ref.size + 1]
