"""Voices of a recording on their way to a service that takes whole files: each becomes one FLAC."""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from adapters.flac import FlacWriter
from domain.model.errors import AudioTooLongError, RecordingTooLargeError, TranscriberUnavailableError
from domain.model.speech import BYTES_PER_SAMPLE, SAMPLE_RATE, SpeechUnit

MIN_SECONDS = 1.0
"""Length of the shortest file, filled up with silence; Amazon Transcribe takes half a second or more."""

_SECOND = bytes(SAMPLE_RATE * BYTES_PER_SAMPLE)


@dataclass(frozen=True, slots=True)
class VoiceLimits:
    """Limits of one job of Amazon Transcribe (Developer Guide, "Guidelines and quotas")."""

    max_seconds: float = 4 * 3600.0
    max_bytes: int = 2 * 10**9


class Voice:
    """One track or channel, or a whole recording, as FLAC in a file without a name."""

    def __init__(self, track: int | None, channel: int | None, file: BinaryIO, limits: VoiceLimits) -> None:
        self.track = track
        self.channel = channel
        self.file = file
        self.is_silent = True  # without any sample but zeros
        self._limits = limits
        self._samples = 0
        self._digest = hashlib.sha256()
        self._writing = contextlib.ExitStack()
        self._flac = self._writing.enter_context(FlacWriter(file))

    @property
    def start_seconds(self) -> float:
        """A voice is as long as its recording."""
        return 0.0

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return self._samples / SAMPLE_RATE

    @property
    def digest(self) -> str:
        """SHA-256 of the samples, in hexadecimal."""
        return self._digest.hexdigest()

    def add(self, unit: SpeechUnit) -> None:
        """Append a unit at its place; silence fills what the reader left out, so that times stay right.

        Raises:
            AudioTooLongError: Transcribe does not take so long a file.
            RecordingTooLargeError: Transcribe does not take so large a file.
        """
        end = unit.start + len(unit.samples) // BYTES_PER_SAMPLE
        if end > self._limits.max_seconds * SAMPLE_RATE:
            raise AudioTooLongError(
                f"Amazon Transcribe takes at most {self._limits.max_seconds / 3600:g} h of sound; this "
                "recording is longer."
            )
        self._fill_up(unit.start)
        self._write(unit.samples)
        if self.file.tell() > self._limits.max_bytes:
            raise RecordingTooLargeError(
                f"Amazon Transcribe takes at most {self._limits.max_bytes} bytes; this recording has more as "
                "FLAC."
            )

    def finish(self) -> None:
        """Complete the file."""
        self._fill_up(int(MIN_SECONDS * SAMPLE_RATE))
        self._writing.close()

    def close(self) -> None:
        """Remove the file, completed or not."""
        self._writing.pop_all()
        self._flac.abandon()
        self.file.close()

    def _fill_up(self, samples: int) -> None:
        while (missing := samples - self._samples) > 0:
            self._write(_SECOND[: missing * BYTES_PER_SAMPLE])

    def _write(self, samples: bytes) -> None:
        self._flac.write(samples)
        self._digest.update(samples)
        self._samples += len(samples) // BYTES_PER_SAMPLE
        self.is_silent = self.is_silent and not samples.strip(b"\0")


class Voices:
    """The voices of one recording, in the order in which they are read."""

    def __init__(self, folder: Path, limits: VoiceLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._all: list[Voice] = []

    def add(self, unit: SpeechUnit) -> None:
        """Append a unit to its voice; the units of a voice follow each other.

        Raises:
            RecordingError: the voice is too long or too large for Amazon Transcribe.
            TranscriberUnavailableError: the disk is full, or cannot be written to.
        """
        with self._storage_errors():
            if not self._all or (self._all[-1].track, self._all[-1].channel) != (unit.track, unit.channel):
                self._finish()
                self._all.append(Voice(unit.track, unit.channel, self._file(), self._limits))
            self._all[-1].add(unit)

    def finish(self) -> None:
        """Complete the file of the voice that was read last.

        Raises:
            TranscriberUnavailableError: the disk is full, or cannot be written to.
        """
        with self._storage_errors():
            self._finish()

    def _finish(self) -> None:
        if self._all:
            self._all[-1].finish()

    @contextlib.contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"The sound cannot be stored in SPOOL_DIR={str(self._folder)!r}: {error.strerror}"
            raise TranscriberUnavailableError(message) from error

    def with_sound(self) -> tuple[Voice, ...]:
        """List the voices that are not silent from beginning to end."""
        return tuple(voice for voice in self._all if not voice.is_silent)

    def close(self) -> None:
        """Remove all files."""
        for voice in self._all:
            voice.close()

    def _file(self) -> BinaryIO:
        """Create a file that is gone when the process is, however that ends."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=self._folder)


@contextlib.contextmanager
def voices_in(folder: Path, limits: VoiceLimits) -> Iterator[Voices]:
    """Collect the voices of a recording while the context lasts."""
    with contextlib.closing(Voices(folder, limits)) as voices:
        yield voices
