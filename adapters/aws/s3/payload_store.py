"""Store of large transcripts in Amazon S3."""

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.aws.errors import translate_payload_errors
from adapters.aws.findings import checked
from adapters.aws.s3.versions import delete_versions
from domain.model.errors import PayloadStoreError
from domain.model.events.event import BatchProcessingCompleted, TranscriptRef
from domain.model.route.route import Finding, RouteComponent
from ports.payload_store_port import KEY_PREFIX, PayloadStorePort, payload_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PROBED_KEY = f"{KEY_PREFIX}doctor"
NO_UPLOAD = "none"
"""Id of an upload that does not exist."""


class S3PayloadStore(PayloadStorePort):
    """Stores transcripts in one bucket, encrypted; S3 verifies their SHA-256.

    References hold keys, never signed URLs: those expire, and give every reader of a log access.
    """

    def __init__(self, client: "S3Client", *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:
        """Put the object, replacing the same one of an earlier attempt."""
        key = payload_key(event.tenant_id, event.interaction_id)
        content = event.data.model_dump_json().encode()
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

    def get(self, ref: TranscriptRef, /) -> bytes | None:
        """Get the object; refuse references to other buckets.

        S3 answers NoSuchKey only to credentials with s3:ListBucket, and AccessDenied to others (Amazon S3 API
        Reference, GetObject). Without it a missing object counts as one that may not be read.
        """
        if ref.bucket != self._bucket:
            raise PayloadStoreError(
                f"the reference leads into the bucket {ref.bucket!r}; only {self._bucket!r} is read"
            )
        with translate_payload_errors(f"{ref.key!r} in the bucket {self._bucket!r} was not read"):
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=ref.key)["Body"]
            except self._client.exceptions.NoSuchKey:
                return None
            with contextlib.closing(body):
                return body.read(ref.size + 1)

    def erase(self, tenant_id: UUID, interaction_id: UUID, /) -> int:
        """Delete the versions; a bucket without versions has one, whose id is `null`."""
        key = payload_key(tenant_id, interaction_id)
        with translate_payload_errors(f"{key!r} in the bucket {self._bucket!r} was not erased"):
            return delete_versions(self._client, self._bucket, key)

    def diagnose(self) -> tuple[Finding, ...]:
        """List the faults that keep transcripts from being stored, without storing anything."""
        remedy = (
            f"Correct what the message names; storing needs s3:PutObject on "
            f"arn:aws:s3:::{self._bucket}/transcripts/*. A bucket policy that asks for an encryption header "
            "refuses this check alone."
        )
        return checked(RouteComponent.PAYLOAD_BUCKET, self._findings, remedy)

    def _findings(self) -> Iterator[Finding]:
        """Upload a part to an upload that does not exist, which stores nothing.

        The call needs s3:PutObject, as storing does (Amazon S3 API Reference, UploadPart): the error
        NoSuchUpload proves that the permission is there.
        """
        try:
            self._client.upload_part(
                Bucket=self._bucket, Key=PROBED_KEY, UploadId=NO_UPLOAD, PartNumber=1, Body=b""
            )
        except self._client.exceptions.NoSuchUpload:
            return
        except self._client.exceptions.NoSuchBucket:
            yield Finding(
                RouteComponent.PAYLOAD_BUCKET,
                f"the bucket {self._bucket} does not exist",
                "S3 knows no bucket of that name",
                f"Run `aws s3 mb s3://{self._bucket}`, or correct PAYLOAD_BUCKET or AWS_ENDPOINT_URL.",
            )
            return
        yield Finding(
            RouteComponent.PAYLOAD_BUCKET,
            f"the bucket {self._bucket} could not be checked",
            "a part of an upload that does not exist was accepted: this is not S3",
            "Correct AWS_ENDPOINT_URL.",
            proven=False,
        )
