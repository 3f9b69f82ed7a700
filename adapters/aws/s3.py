"""Large transcripts in Amazon S3."""

import base64
import hashlib
from typing import TYPE_CHECKING

from adapters.aws.errors import translate_payload_errors
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
