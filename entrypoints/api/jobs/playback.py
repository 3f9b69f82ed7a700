"""Answers with a playback copy: byte ranges (RFC 9110, section 14), and headers that keep it a recording."""

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from domain.model.errors import JobNotFoundError, RecordingGoneError
from domain.services.jobs.jobs import NO_SUCH_JOB
from entrypoints.api.dependencies import get_container
from entrypoints.api.jobs.context import JobContext
from entrypoints.api.jobs.waiting import JobWaits
from entrypoints.api.problems import RangeNotSatisfiableError, StorageFullError, TooManyCopiesError
from ports.playback_port import CopyRefusal, PlaybackCopy, PlaybackPort

MEDIA_TYPE = "audio/mp4"
NOT_STORED = {"Cache-Control": "private, no-store"}
"""Headers of an answer that no cache may keep: an erasure would not reach it."""

_HEADERS: Mapping[str, str] = {
    **NOT_STORED,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}
_RANGE = re.compile(r"bytes=\s*(?:(?P<first>\d{1,18})-(?P<last>\d{0,18})|-(?P<suffix>\d{1,18}))\s*")


async def get_playback(request: Request) -> PlaybackPort:
    """Return the playback copies of the service."""
    return (await get_container(request)).playback()


PlaybackDependency = Annotated[PlaybackPort, Depends(get_playback)]


async def copy_of(context: JobContext, playback: PlaybackPort, job_id: str) -> PlaybackCopy:
    """Return the playback copy of a job of the caller's tenant.

    Raises:
        JobNotFoundError: there is no such job, or it was erased while its copy was made.
        RecordingError: the recording is not stored any more, or cannot be decoded.
        TooManyCopiesError: as many copies as allowed are being made.
        StorageFullError: the disk has too little free space.
    """
    job = await context.find(job_id)
    if job.order.recording is None:
        raise RecordingGoneError("The recording of the job is not stored, or not yet.")
    copy = await playback.copy(job.id, job.order.recording)
    match copy:
        case CopyRefusal.BUSY:
            raise TooManyCopiesError("As many playback copies as allowed are being made already.")
        case CopyRefusal.FULL:
            raise StorageFullError("No disk space is left for the playback copy; try again later.")
    await context.find(job_id)  # making may take minutes
    return copy


class PlaybackResponse(FileResponse):
    """Answer with a copy, or one range of it; a header `Range` that asks otherwise is ignored.

    A listener may take an hour for it. At the end of the process the answer is left as it is: players ask for
    the rest by themselves.
    """

    def __init__(self, copy: PlaybackCopy, name: str, waits: JobWaits) -> None:
        headers = {**_HEADERS, "ETag": f'"{copy.tag[:32]}"'}
        super().__init__(copy.file, headers=headers, media_type=MEDIA_TYPE, filename=f"{name}.m4a")
        self._waits = waits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file.

        Raises:
            JobNotFoundError: the file has gone, because the job was erased.
            RangeNotSatisfiableError: the range begins behind the end.
        """
        is_head = scope.get("state", {}).get("is_head", False)
        asked = {**_without_range(scope), "method": "HEAD"} if is_head else _with_one_range(scope)
        sending = _ProblemSend(send)
        try:
            await self._waits.unless_ending(super().__call__(asked, receive, sending))
        except RuntimeError as error:
            if sending.has_begun:
                raise
            raise JobNotFoundError(NO_SUCH_JOB) from error


class _ProblemSend:
    """ASGI `send` that turns the framework's answer to a range behind the end into a problem."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message.get("status") == RangeNotSatisfiableError.STATUS:
            raise RangeNotSatisfiableError(MutableHeaders(scope=message)["Content-Range"])
        self.has_begun = True
        await self._send(message)


def _with_one_range(scope: Scope) -> Scope:
    """Drop a header `Range` that is malformed, or asks for several ranges (RFC 9110, section 14.2)."""
    asked = Headers(scope=scope).getlist("range")
    if not asked or (len(asked) == 1 and _is_one_range(asked[0])):
        return scope
    return _without_range(scope)


def _without_range(scope: Scope) -> Scope:
    """Drop a header `Range`, which only GET has (RFC 9110, section 14.2)."""
    return {**scope, "headers": [each for each in scope["headers"] if each[0].lower() != b"range"]}


def _is_one_range(header: str) -> bool:
    found = _RANGE.fullmatch(header)
    if found is None:
        return False
    return not found["last"] or int(found["first"]) <= int(found["last"])
