"""Store of recordings in Amazon S3."""

import contextlib
import hashlib
import io
import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from uuid import uuid4

from boto3.s3.transfer import TransferConfig

from adapters.aws.errors import translate_recording_errors
from adapters.aws.s3.versions import delete_versions
from adapters.downloads import BLOCK_BYTES, DownloadLimits, save, until
from adapters.scratch import ScratchFolders
from domain.model.errors import RecordingGoneError, RecordingStoreUnavailableError
from ports.recording_store_port import RecordingStorePort

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PARTS = TransferConfig(multipart_threshold=16 * 2**20, multipart_chunksize=16 * 2**20, use_threads=False)
"""Parts of an upload, one at a time: one part is in memory."""

PROBE_PREFIX = "doctor-"
_KEY = re.compile(r"(?P<owner>[0-9a-f]{32})-[0-9a-f]{32}\.recording")
_SHA256 = "sha256"
"""Name of the metadata with the digest, in hexadecimal digits."""


class S3RecordingStore(RecordingStorePort):
    """Stores one object for each recording, under a prefix of an existing bucket.

    The bucket's default encryption applies. S3 verifies a checksum of each part, and each reader the SHA-256
    in the object's metadata. A key is the name of the object below the prefix: the owner, and a number;
    objects with other names are left alone.
    """

    def __init__(
        self,
        client: "S3Client",
        *,
        bucket: str,
        prefix: str,  # empty for the whole bucket
        owner: Callable[[], str],  # 32 hexadecimal digits
        scratch: ScratchFolders,
        has_room: Callable[[int], bool],  # True if the disk of the folders has room for so many bytes
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._owner = owner
        self._scratch = scratch
        self._has_room = has_room

    def put(self, recording: Path, /) -> str:
        """Upload the file, a large one in parts; a part that fails is not left in the bucket."""
        key = f"{self._owner()}-{uuid4().hex}.recording"
        with _storage_errors(recording), recording.open("rb") as file:
            self._upload(key, file)
        return key

    @contextlib.contextmanager
    def fetched(self, key: str, cancelled: Event | None = None, /) -> Iterator[Path]:
        """Download the object to a file of this process, which is removed afterwards."""
        with contextlib.ExitStack() as stack:
            with _storage_errors(self._scratch.root):
                file = stack.enter_context(self._scratch.folder()) / "recording"
                self._download(key, file, cancelled or Event())
            yield file

    def delete(self, key: str, /) -> None:
        """Delete the object; in a bucket with versions, its lifecycle rule deletes the version."""
        with self._translated(f"the recording {key} was not deleted"):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def erase(self, key: str, /) -> str | None:
        """Delete the object, and its versions where the bucket has some, which needs more permissions."""
        name = self._prefix + key
        with self._translated(f"the recording {key} was not deleted"):
            answer = self._client.delete_object(Bucket=self._bucket, Key=name)
        if "VersionId" not in answer:
            return None
        try:
            with self._translated(f"versions of the recording {key} were not deleted"):
                delete_versions(self._client, self._bucket, name)
        except RecordingStoreUnavailableError as error:
            return str(error)
        return None

    def keys(self, *, older_than_seconds: float) -> Iterator[str]:
        """List the bucket below the prefix, page by page."""
        latest = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        owner = self._owner()
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}{owner}-", Delimiter="/"
        )
        with self._translated("the recordings cannot be listed"):
            for page in pages:
                for found in page.get("Contents", ()):
                    name = found["Key"].removeprefix(self._prefix)
                    if _KEY.fullmatch(name) and found["LastModified"] <= latest:
                        yield name

    def probe(self) -> None:
        """Store, read and delete a few bytes.

        Raises:
            RecordingStoreUnavailableError: one of them failed; the message says which, and what to do.
        """
        key = f"{PROBE_PREFIX}{uuid4().hex}"
        content = key.encode()
        self._upload(key, io.BytesIO(content))
        try:
            with self._translated("the probe was not read"):
                body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"]
                with contextlib.closing(body):
                    found = body.read(len(content) + 1)
        finally:
            self.delete(key)
        if found != content:
            raise self._damaged(key)

    def _upload(self, key: str, file: io.BufferedReader | io.BytesIO) -> None:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        with self._translated("the recording was not stored"):
            self._client.upload_fileobj(
                file,
                self._bucket,
                self._prefix + key,
                ExtraArgs={"ContentType": "application/octet-stream", "Metadata": {_SHA256: digest}},
                Config=PARTS,
            )

    def _download(self, key: str, target: Path, cancelled: Event) -> None:
        with self._translated(f"the recording {key} was not read"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            except self._client.exceptions.NoSuchKey:
                raise RecordingGoneError("The recording is not stored any more.") from None
            with contextlib.closing(found["Body"]) as body:
                limits = DownloadLimits(found["ContentLength"], self._has_room)
                limits.check(limits.max_bytes)
                blocks = body.iter_chunks(BLOCK_BYTES)
                save(until(cancelled, blocks, RecordingStoreUnavailableError), target, limits)
        with target.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != found["Metadata"].get(_SHA256):
                raise self._damaged(key)

    def _damaged(self, key: str) -> RecordingGoneError:
        """No later try would find the recording; the log names the object, the caller need not know it."""
        logger.error(
            "a stored recording is damaged",
            extra={"bucket": self._bucket, "key": f"{self._prefix}{key}"},
        )
        return RecordingGoneError("The stored recording is damaged; send it again.")

    def _translated(self, failed: str) -> contextlib.AbstractContextManager[None]:
        return translate_recording_errors(f"{failed} (RECORDING_STORE=s3://{self._bucket}/{self._prefix})")


@contextlib.contextmanager
def _storage_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordingStoreUnavailableError(f"{place}: {error.strerror}") from error
