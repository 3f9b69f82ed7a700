"""Spans of a transcription: the whole, its decoding, each of its units, and the cleaning."""

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from domain.model.engines import EngineDescription
from domain.model.speech import HeardUnit, SpeechUnit
from domain.model.transcripts import DEFAULT_OPTIONS, Transcript, TranscriptionOptions
from ports.cleaner_port import CleanedTranscript, CleanerPort
from ports.recogniser_port import Hints, RecogniserPort, Slots
from ports.speech_source_port import Reading, SpeechSourcePort
from ports.trace_port import TracePort
from ports.transcriber_port import Checkpoint, ProgressListener, TranscriberPort, TranscriberState


class TracedTranscriber(TranscriberPort):
    """Records a span for each recording, the wait for a place included."""

    def __init__(self, transcriber: TranscriberPort, trace: TracePort) -> None:
        self._transcriber = transcriber
        self._trace = trace

    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        on_progress: ProgressListener | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Transcript:
        """Transcribe inside of a span."""
        with self._trace.span("transcribe recording") as span:
            transcript = await self._transcriber.transcribe(
                recording, options=options, on_progress=on_progress, checkpoint=checkpoint
            )
            span.annotate({"transcription.audio_seconds": transcript.duration_seconds})
            return transcript

    def check_capacity(self) -> None:
        """Check the capacity."""
        self._transcriber.check_capacity()

    def state(self) -> TranscriberState:
        """Return the load."""
        return self._transcriber.state()


class TracedSpeechSource(SpeechSourcePort):
    """Records a span for the decoding of each recording."""

    def __init__(self, source: SpeechSourcePort, trace: TracePort) -> None:
        self._source = source
        self._trace = trace

    async def read(self, recording: Path, options: TranscriptionOptions, /) -> AsyncGenerator[Reading]:
        """Read inside of a span."""
        with self._trace.span("decode recording", is_current=False):
            async with contextlib.aclosing(self._source.read(recording, options)) as reading:
                async for step in reading:
                    yield step

    def slots(self) -> Slots:
        """Count the places."""
        return self._source.slots()


class TracedRecogniser(RecogniserPort):
    """Records a span for each unit, the wait for its turn included."""

    def __init__(self, recogniser: RecogniserPort, trace: TracePort) -> None:
        self._recogniser = recogniser
        self._trace = trace

    async def engine(self) -> EngineDescription:
        """Return the engine."""
        return await self._recogniser.engine()

    async def recognise(
        self, unit: SpeechUnit, hints: Hints, /, *, recording: object, again: bool = False
    ) -> HeardUnit:
        """Recognise inside of a span."""
        attributes = {"transcription.speech_seconds": unit.speech_seconds, "transcription.again": again}
        with self._trace.span("recognise unit", attributes=attributes):
            return await self._recogniser.recognise(unit, hints, recording=recording, again=again)

    def slots(self) -> Slots:
        """Count the places."""
        return self._recogniser.slots()


class TracedCleaner(CleanerPort):
    """Records a span for each transcript."""

    def __init__(self, cleaner: CleanerPort, trace: TracePort) -> None:
        self._cleaner = cleaner
        self._trace = trace

    async def clean(self, transcript: Transcript, /) -> CleanedTranscript:
        """Clean inside of a span."""
        with self._trace.span("clean transcript"):
            return await self._cleaner.clean(transcript)
