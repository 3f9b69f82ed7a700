"""Playback copies of this process, in a private folder that outlives neither their use nor the process."""

import asyncio
import contextlib
import errno
import logging
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from uuid import UUID

from adapters.scratch import ScratchFolders
from adapters.speech.copies.maker import CopyMaker, NoRoomError
from domain.model.errors import RecordingGoneError
from domain.model.jobs import StoredRecording
from ports.playback_port import CopyRefusal, PlaybackCopy, PlaybackPort
from ports.recording_store_port import RecordingStorePort

logger = logging.getLogger(__name__)

KEEP_SECONDS = 3600.0
"""Time after its last use for which a copy is kept."""
MAX_CONCURRENT = 2
"""Copies that are made at the same time; each takes a core."""
SWEEP_SECONDS = 60.0
"""Pause between two looks for copies whose time is over."""

_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(slots=True)
class _Kept:
    """A copy that is there."""

    copy: PlaybackCopy
    sha256: str  # of the recording
    used: float


class PlaybackCopies(PlaybackPort):
    """Makes each copy once, and hands it out to all who ask for it meanwhile and afterwards.

    Processes may share the folder `scratch`: each has one of its own below it, which the others remove
    when the process was killed.
    """

    def __init__(
        self,
        recordings: RecordingStorePort,
        maker: CopyMaker,
        scratch: ScratchFolders,
        *,
        has_room: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recordings = recordings
        self._maker = maker
        self._scratch = scratch
        self._has_room = has_room
        self._clock = clock
        self._stack = contextlib.ExitStack()
        self._folder: Path | None = None
        self._kept: dict[UUID, _Kept] = {}
        self._making: dict[UUID, asyncio.Task[PlaybackCopy | CopyRefusal]] = {}
        self._sweeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Create the folder of this process, and look for copies whose time is over from now on."""
        self._folder = self._stack.enter_context(self._scratch.folder())
        self._sweeper = asyncio.create_task(self._keep_sweeping(), name="playback-sweeper")

    async def stop(self) -> None:
        """Kill the processes at work, and remove the folder."""
        tasks = [*self._making.values(), *filter(None, [self._sweeper])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kept.clear()
        self._folder = self._sweeper = None
        await asyncio.to_thread(self._stack.close)

    async def copy(self, job_id: UUID, recording: StoredRecording, /) -> PlaybackCopy | CopyRefusal:
        """Return the copy that is there, wait for the one that is being made, or make one."""
        if (kept := self._current(job_id, recording)) is not None:
            return kept
        if job_id not in self._making:
            if len(self._making) >= MAX_CONCURRENT:
                return CopyRefusal.BUSY
            task = asyncio.create_task(self._made(job_id, recording), name=f"playback-{job_id}")
            self._making[job_id] = task
            task.add_done_callback(lambda made: self._end(job_id, made))
        return await _result(self._making[job_id])

    async def forget(self, job_id: UUID, /) -> None:
        """Remove the copy, and kill the process that makes it."""
        if (task := self._making.get(job_id)) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._remove(job_id)

    async def sweep(self) -> None:
        """Remove the copies that were not used for `KEEP_SECONDS`."""
        latest = self._clock() - KEEP_SECONDS
        for job_id in [job_id for job_id, kept in self._kept.items() if kept.used <= latest]:
            await self._remove(job_id)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self.sweep()

    def _current(self, job_id: UUID, recording: StoredRecording) -> PlaybackCopy | None:
        kept = self._kept.get(job_id)
        if kept is None or kept.sha256 != recording.sha256 or not kept.copy.file.exists():
            return None
        kept.used = self._clock()
        return kept.copy

    def _end(self, job_id: UUID, made: "asyncio.Task[PlaybackCopy | CopyRefusal]") -> None:
        del self._making[job_id]
        if not made.cancelled() and (error := made.exception()) is not None:  # its callers may be gone
            logger.warning(
                "playback copy not made", extra={"interaction_id": str(job_id), "error": str(error)}
            )

    async def _made(self, job_id: UUID, recording: StoredRecording) -> PlaybackCopy | CopyRefusal:
        if not await self._is_room_made():
            return CopyRefusal.FULL
        try:
            copy = await self._made_in(await asyncio.to_thread(self._new_folder), recording)
        except (NoRoomError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in _FULL:
                raise
            return CopyRefusal.FULL
        self._kept[job_id] = _Kept(copy, recording.sha256, self._clock())
        logger.info("playback copy made", extra={"interaction_id": str(job_id)})
        return copy

    async def _made_in(self, folder: Path, recording: StoredRecording) -> PlaybackCopy:
        try:
            async with self._fetched(recording.key) as file:
                return await self._maker.make(file, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _new_folder(self) -> Path:
        if self._folder is None:
            raise RuntimeError("The playback copies are not open.")
        if not self._folder.exists():  # a cleaner of temporary files removed it
            self._stack.close()
            self._folder = self._stack.enter_context(self._scratch.folder())
        return Path(tempfile.mkdtemp(dir=self._folder))

    @contextlib.asynccontextmanager
    async def _fetched(self, key: str) -> AsyncIterator[Path]:
        cancelled, stack = Event(), contextlib.ExitStack()
        fetching = asyncio.ensure_future(
            asyncio.to_thread(lambda: stack.enter_context(self._recordings.fetched(key, cancelled)))
        )
        try:
            await asyncio.wait({fetching})
            yield fetching.result()
        finally:
            cancelled.set()
            await asyncio.gather(fetching, return_exceptions=True)
            await asyncio.to_thread(stack.close)

    async def _is_room_made(self) -> bool:
        """Remove copies while the disk is nearly full, first the one whose last use is longest ago."""
        for job_id, _ in sorted(self._kept.items(), key=lambda each: each[1].used):
            if self._has_room():
                break
            await self._remove(job_id)
        return self._has_room()

    async def _remove(self, job_id: UUID) -> None:
        if (kept := self._kept.pop(job_id, None)) is not None:
            await asyncio.to_thread(shutil.rmtree, kept.copy.file.parent, ignore_errors=True)


async def _result(task: "asyncio.Task[PlaybackCopy | CopyRefusal]") -> PlaybackCopy | CopyRefusal:
    """Wait for a copy that others may wait for as well.

    Raises:
        RecordingGoneError: the work on the copy was ended.
    """
    await asyncio.wait({task})
    if task.cancelled():
        raise RecordingGoneError("The recording is not stored any more.")
    return task.result()
