"""Archive of dead letters as objects in Amazon S3."""

import base64
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from adapters.aws.errors import translate_archive_errors
from domain.model.errors import ArchiveError
from domain.model.messages.archived import ArchivedMessage
from ports.dead_letter_archive_port import DeadLetterArchivePort

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SUFFIX = ".json"


class S3Archive(DeadLetterArchivePort):
    """Stores one encrypted object for each message, under a prefix of an existing bucket."""

    def __init__(self, client: "S3Client", *, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def keep(self, message: ArchivedMessage, /) -> None:
        """Put the object with its SHA-256, which S3 verifies, and read it back."""
        key, content = self._prefix + message.name, message.to_json().encode()
        with translate_archive_errors(f"{self._address(key)} was not written"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType="application/json",
                ServerSideEncryption="AES256",
                ChecksumSHA256=base64.b64encode(hashlib.sha256(content).digest()).decode(),
            )
        if self._fetch(key) != content:
            raise ArchiveError(f"{self._address(key)} does not hold what was written to it")

    def messages(self) -> Iterator[ArchivedMessage]:
        """Read the objects `*.json` directly under the prefix; ignore all others."""
        with translate_archive_errors(f"{self._address(self._prefix)} cannot be listed"):
            keys = list(self._keys())
        for key in keys:
            yield ArchivedMessage.read(self._fetch(key), self._address(key))

    def _keys(self) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
        )
        for page in pages:
            yield from (found["Key"] for found in page.get("Contents", ()) if found["Key"].endswith(SUFFIX))

    def _fetch(self, key: str) -> bytes:
        with translate_archive_errors(f"{self._address(key)} cannot be read"):
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def _address(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"
