"""Decorator around a transcriber."""

import asyncio
import time
from pathlib import Path

from adapters.telemetry.metrics.instruments import Metrics
from domain.model.errors import TranscriptionServiceError
from domain.model.problem_names import problem_name
from domain.model.transcripts import DEFAULT_OPTIONS, Transcript, TranscriptionOptions
from ports.transcriber_port import Checkpoint, ProgressListener, TranscriberPort, TranscriberState

COMPLETED = "completed"
CANCELLED = "cancelled"
UNEXPECTED = "unexpected-error"


class MeteredTranscriber(TranscriberPort):
    """Measures how long transcriptions take, and the sound that was transcribed."""

    def __init__(self, transcriber: TranscriberPort, metrics: Metrics, *, engine: str) -> None:
        self._transcriber = transcriber
        self._metrics = metrics
        self._engine = engine
        self._metrics.transcriptions.labels(engine, COMPLETED)  # from 0 on
        self._audio = metrics.audio.labels(engine)

    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        on_progress: ProgressListener | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Transcript:
        """Transcribe the recording, and record time and outcome."""
        began, outcome = time.perf_counter(), UNEXPECTED
        try:
            transcript = await self._transcriber.transcribe(
                recording, options=options, on_progress=on_progress, checkpoint=checkpoint
            )
        except asyncio.CancelledError:
            outcome = CANCELLED
            raise
        except TranscriptionServiceError as error:
            outcome = problem_name(type(error))
            raise
        else:
            outcome = COMPLETED
            self._audio.inc(transcript.duration_seconds)
            return transcript
        finally:
            self._metrics.transcriptions.labels(self._engine, outcome).observe(time.perf_counter() - began)

    def check_capacity(self) -> None:
        """Check that a recording would be admitted now."""
        self._transcriber.check_capacity()

    def state(self) -> TranscriberState:
        """Return the load of the transcriber."""
        return self._transcriber.state()
