"""Large transcripts in Amazon S3."""

import base64
import contextlib
import hashlib
from typing import TYPE_CHECKING

from adapters.aws.errors import translate_payload_errors
from domain.model.errors import PayloadStoreError
from domain.model.events import BatchProcessingCompleted, TranscriptRef
from ports.payload_store_port import PayloadStorePort, payload_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class S3PayloadStore(PayloadStorePort):
    """Puts transcripts into one bucket, encrypted; S3 checks what it received against their SHA-256.

    References hold keys, never signed addresses: those expire, and open the object to whoever reads a log.
    """

    def __init__(self, client: "S3Client", *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:
        """Put the object, over the same one of an earlier attempt."""
        key, content = payload_key(event), event.data.model_dump_json().encode()
        digest = hashlib.sha256(content)
        with translate_payload_errors():
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType="application/json",
                ServerSideEncryption="AES256",
                ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
            )
        return TranscriptRef(bucket=self._bucket, key=key, size=len(content), sha256=digest.hexdigest())

    def get(self, ref: TranscriptRef, /) -> bytes:
        """Get the object, from this bucket alone."""
        if ref.bucket != self._bucket:
            raise PayloadStoreError(
                f"the reference leads into the bucket {ref.bucket!r}; only {self._bucket!r} is read"
            )
        with translate_payload_errors(f"{ref.key!r} in the bucket {self._bucket!r} was not read"):
            body = self._client.get_object(Bucket=self._bucket, Key=ref.key)["Body"]
            with contextlib.closing(body):
                return body.read(ref.size + 1)
