"""Store of recordings on a real S3 store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.aws.s3.recording_store import PARTS, S3RecordingStore
from adapters.scratch import ScratchFolders
from tests.contracts.recording_store_port import RecordingStorePortContract, Store, recording

__all__ = ["recording"]

Build = Callable[..., S3RecordingStore]


@pytest.fixture
def build(aws: Callable[..., Any], tmp_path: Path) -> Build:
    client, bucket = aws("s3"), f"recordings-{uuid4().hex}"
    client.create_bucket(Bucket=bucket)
    scratch = ScratchFolders(tmp_path / "fetched")

    def build(bucket: str = bucket, owner: str = uuid4().hex) -> S3RecordingStore:
        return S3RecordingStore(
            client,
            bucket=bucket,
            prefix="calls",
            owner=lambda: owner,
            scratch=scratch,
            has_room=lambda _: True,
        )

    return build


class TestS3RecordingStoreOnLocalStack(RecordingStorePortContract):
    @pytest.fixture
    def store(self, build: Build) -> Store:
        return Store(build(), build(), build(f"nowhere-{uuid4().hex}"), build(owner=uuid4().hex))


def test_a_recording_in_parts_comes_back_whole(build: Build, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * (2 * PARTS.multipart_chunksize // 256) + b"the end")

    key = build().put(large)

    with build().fetched(key) as file:
        assert file.read_bytes() == large.read_bytes()
    build().probe()
    assert list(build().keys(older_than_seconds=-60.0)) == [key]
