"""The program that reads recordings: decodes them, and cuts speech into units or makes a playback copy."""

from collections.abc import Iterator
from pathlib import Path

from adapters.speech.cutting.reading import RecordingReader
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.playback.copying import playback_copy
from adapters.speech.playback.pieces import CopyPiece
from adapters.speech.workers.cpu_budget import CpuBudget
from adapters.speech.workers.program import Program
from adapters.speech.workers.protocol import (
    Copied,
    CopyJob,
    CopyMade,
    Cut,
    Job,
    Message,
    ReadJob,
    ReadToEnd,
    Ready,
)
from domain.model.speech import SpeechUnit
from ports.speech_source_port import SoundSummary
from ports.transcriber_port import Progress, ProgressListener

HALF_SECOND = Path(__file__).with_name("half_second.ogg")
"""Built-in recording: half a second of speech, a word of the demo's recording."""


class Reader:
    """Reads one recording after the other."""

    def __init__(self, program: Program) -> None:
        self._reader = RecordingReader(program.threshold)

    def prove(self) -> Ready:
        """Read the built-in half second of speech."""
        *_, last = self._reader.read(HALF_SECOND, DecodingLimits(max_audio_seconds=1.0), lambda _: None)
        if not (isinstance(last, SoundSummary) and 0.4 < last.duration_seconds < 0.6):  # noqa: PLR2004 - half a second, and what an encoder adds
            raise RuntimeError(f"the built-in half second of sound was read as {last}")
        return Ready()

    def answers(self, job: Job, _: bytes, report: ProgressListener) -> Iterator[tuple[Message, bytes]]:
        """Yield the units of a recording, or the pieces of its copy, and what is known of it at its end."""
        match job:
            case ReadJob():
                yield from self._units(job, report)
            case CopyJob():
                yield from _copy(job, report)
            case _:
                raise TypeError("a reader reads recordings")

    def _units(self, job: ReadJob, report: ProgressListener) -> Iterator[tuple[Message, bytes]]:
        budget = CpuBudget(job.max_audio_seconds)

        def on_progress(progress: Progress) -> None:
            budget.grant(progress)
            is_looked_through = progress.total_seconds is None  # to choose the voices: nothing is done yet
            report(Progress(0.0, None) if is_looked_through else progress)

        limits = DecodingLimits(max_audio_seconds=job.max_audio_seconds)
        for read in self._reader.read(job.recording, limits, on_progress, job.options):
            if isinstance(read, SpeechUnit):
                yield Cut.of(read), read.samples
            else:
                yield ReadToEnd(**read._asdict()), b""


def _copy(job: CopyJob, report: ProgressListener) -> Iterator[tuple[Message, bytes]]:
    budget = CpuBudget(job.max_audio_seconds)

    def on_progress(progress: Progress) -> None:
        budget.grant(progress)
        report(progress)

    limits = DecodingLimits(max_audio_seconds=job.max_audio_seconds)
    for made in playback_copy(job.recording, limits, on_progress):
        if isinstance(made, CopyPiece):
            yield Copied(size=len(made.content), is_head=made.is_head), made.content
        else:
            yield CopyMade(**made._asdict()), b""
