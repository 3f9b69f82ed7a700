"""Making of one playback copy in a sandboxed process of its own: a recording may take its decoder over."""

import asyncio
import contextlib
import hashlib
import shutil
import sys
from collections.abc import Callable
from io import BufferedRandom
from pathlib import Path

from adapters.speech.playback.pieces import BIT_RATE, CopyPiece
from adapters.speech.workers.process import WorkerLimits, WorkerProcess
from adapters.speech.workers.program import Program
from adapters.speech.workers.protocol import CopyJob, CopyMade
from domain.model.errors import (
    TranscriberCrashedError,
    TranscriberStalledError,
    UndecodableAudioError,
)
from ports.playback_port import PlaybackCopy

MAX_SECONDS = 3600.0
"""Longest time for one copy; an hour of sound takes half a minute."""

_BYTES_TO_SPARE = 2**20
_MARGIN = 2  # the bit rate is a mean, and the index counts as well


class NoRoomError(Exception):
    """The disk has too little free space for the copy."""


class CopyMaker:
    """Starts a process for each copy; the process sends the copy through a pipe, and can write no file."""

    def __init__(
        self,
        *,
        max_audio_seconds: float,
        stall_seconds: float,
        has_room: Callable[[], bool],
        max_seconds: float = MAX_SECONDS,
        python: str = sys.executable,
    ) -> None:
        self._max_audio_seconds = max_audio_seconds
        self._limits = WorkerLimits(stall_seconds=stall_seconds)
        self._has_room = has_room
        self._max_seconds = max_seconds
        self._python = python

    async def make(self, recording: Path, folder: Path) -> PlaybackCopy:
        """Make the copy of a recording in an empty folder.

        Raises:
            NoRoomError: the disk has too little free space.
            RecordingError: the recording is at fault, also where its decoder crashed or stalled.
            TranscriberUnavailableError: the process cannot be started.
        """
        with (folder / "copy.mp4").open("w+b") as file, (folder / "sound").open("w+b") as sound:
            target = _Target(file, sound, self._max_bytes(), self._has_room)
            made = await self._written(recording, target)
            tag = await asyncio.to_thread(target.join)
        (folder / "sound").unlink()
        return PlaybackCopy(folder / "copy.mp4", tag, made.duration_seconds, made.peaks)

    def _max_bytes(self) -> int:
        return _BYTES_TO_SPARE + int(_MARGIN * BIT_RATE / 8 * self._max_audio_seconds)

    async def _written(self, recording: Path, target: "_Target") -> CopyMade:
        process = WorkerProcess(Program(threshold=None), self._limits, python=self._python)
        job = CopyJob(recording=recording, max_audio_seconds=self._max_audio_seconds)
        try:
            async with asyncio.timeout(self._max_seconds):
                return await _received(process, job, target)
        except (TranscriberCrashedError, TranscriberStalledError, TimeoutError) as error:
            raise UndecodableAudioError(
                "The recording cannot be decoded: its decoder crashed or stalled."
            ) from error
        finally:
            await process.stop()


async def _received(process: WorkerProcess, job: CopyJob, target: "_Target") -> CopyMade:
    async with contextlib.aclosing(process.converse(job)) as answers:
        async for answer in answers:
            match answer:
                case CopyPiece():
                    await asyncio.to_thread(target.write, answer)
                case CopyMade():
                    return answer
    raise TranscriberCrashedError("The maker of a copy sent no end.")


class _Target:
    """Two files: the head of the copy, to which the sound is appended at the end."""

    def __init__(
        self, file: BufferedRandom, sound: BufferedRandom, max_bytes: int, has_room: Callable[[], bool]
    ) -> None:
        self._file = file
        self._sound = sound
        self._bytes_left = max_bytes
        self._has_room = has_room

    def write(self, piece: CopyPiece) -> None:
        self._bytes_left -= len(piece.content)
        if self._bytes_left < 0:
            raise TranscriberCrashedError("The maker of a copy sent more than a copy has.")
        self._check_room()
        (self._file if piece.is_head else self._sound).write(piece.content)

    def join(self) -> str:
        """Append the sound to the head, and return the digest of all."""
        self._check_room()
        self._sound.seek(0)
        shutil.copyfileobj(self._sound, self._file)
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").hexdigest()

    def _check_room(self) -> None:
        if not self._has_room():
            raise NoRoomError
