"""Reading a body at the caller's pace, and at ours."""

import asyncio
from collections.abc import Iterable

import pytest
from starlette.requests import Request

from entrypoints.api.problems import StalledUploadError
from entrypoints.api.uploads.multipart import WRITE_BYTES, MultipartRecording
from tests.support.harness.service import multipart


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def upload(contents: Iterable[bytes], clock: Clock, seconds_each: float) -> MultipartRecording:
    """Build a recording that arrives in these chunks, at this interval."""
    head, _, tail = multipart(b"|").partition(b"|")
    chunks = [head, *contents, tail]

    async def receive() -> dict[str, object]:
        clock.now += seconds_each
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    headers = [(b"content-type", b"multipart/form-data; boundary=xyz")]
    return MultipartRecording(Request({"type": "http", "headers": headers}, receive), 2**30, clock=clock)


async def test_time_that_we_take_between_blocks_is_not_held_against_the_caller(clock: Clock) -> None:
    blocks = upload([b"x" * WRITE_BYTES] * 3, clock, seconds_each=0.1).blocks(idle_seconds=0.05)

    received = 0
    async for block in blocks:
        received += len(block)
        clock.now += 1000
        await asyncio.sleep(0.06)  # longer than the line may be idle

    assert received == 3 * WRITE_BYTES


async def test_a_caller_who_sends_byte_by_byte_is_refused_once_patience_has_run_out(clock: Clock) -> None:
    blocks = upload([b"x"] * 1000, clock, seconds_each=1.0).blocks(idle_seconds=30)

    with pytest.raises(StalledUploadError, match="bytes arrived in 31 s"):
        async for _ in blocks:
            pass


async def test_a_slow_line_that_keeps_the_least_pace_is_served(clock: Clock) -> None:
    blocks = upload([b"x" * 1024] * 100, clock, seconds_each=0.9).blocks(idle_seconds=30)

    assert sum([len(block) async for block in blocks]) == 100 * 1024
