"""Source of recordings in Amazon S3."""

import contextlib
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from adapters.aws.errors import translate_source_errors
from adapters.downloads import BLOCK_BYTES, DownloadLimits, save, until
from domain.model.errors import SourceRefusedError
from ports.recording_source_port import RecordingSourcePort

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MAX_KEY_BYTES = 1024
"""Limit of S3."""

_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_URL = re.compile(rf"(?i:s3)://(?P<bucket>{_BUCKET})/(?P<key>[^\0-\x1f\x7f\ud800-\udfff]+)")


class S3RecordingSource(RecordingSourcePort):
    """Fetches `s3://bucket/key` with the service's own credentials, from listed places alone.

    Without the list, each caller could read all that the service may read (the confused deputy). A key is
    written as it is, without percent-encoding.
    """

    def __init__(
        self,
        client: "Callable[[], S3Client]",
        places: Sequence[tuple[str, str]],  # buckets and prefixes from which recordings may be fetched
        limits: DownloadLimits,
    ) -> None:
        self._build_client = client
        self._places = [(bucket, f"{prefix.strip('/')}/".lstrip("/")) for bucket, prefix in places]
        self._limits = limits

    def check(self, url: str, /) -> None:
        """Check that the object is in one of the places."""
        self._object(url)

    def fetch(self, url: str, target: Path, cancelled: Event, /) -> None:
        """Get the object."""
        bucket, key = self._object(url)
        with translate_source_errors(f"s3://{bucket}/{key}"):
            found = self._client.get_object(Bucket=bucket, Key=key)
            with contextlib.closing(found["Body"]) as body:
                self._limits.check(found["ContentLength"])
                save(until(cancelled, body.iter_chunks(BLOCK_BYTES)), target, self._limits)

    @cached_property
    def _client(self) -> "S3Client":
        return self._build_client()

    def _object(self, url: str) -> tuple[str, str]:
        """Take a URL apart into bucket and key.

        Raises:
            SourceRefusedError: it has another form, or names another place.
        """
        found = _URL.fullmatch(url)
        if found is None or len(found["key"].encode()) > MAX_KEY_BYTES:
            raise SourceRefusedError(
                "The URL of the recording is not s3://bucket/key with a valid name of a bucket and key."
            )
        bucket, key = found["bucket"], found["key"]
        if {".", "..", ""} & set(key.split("/")):  # some stores read them as the way to another folder
            raise SourceRefusedError("The key of the recording has an empty part, or one that is . or ..")
        if not any(bucket == name and key.startswith(prefix) for name, prefix in self._places):
            raise SourceRefusedError(
                f"Recordings are not fetched from this place in s3://{bucket}: the operator lists the "
                "allowed buckets and prefixes in SOURCE_BUCKETS."
            )
        return bucket, key
