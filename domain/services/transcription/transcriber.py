"""Transcriber by units: one recording is cut, spread over all places of an engine, and joined again."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from domain.model.transcripts import DEFAULT_OPTIONS, Transcript, TranscriptionOptions
from domain.services.transcription.admission import Admission
from domain.services.transcription.recording import RecordingAtWork
from domain.services.transcription.unit_recognition import CheckedRecogniser
from domain.services.transcription.workload import Workload
from ports.recogniser_port import Hints, RecogniserPort
from ports.speech_source_port import SpeechSourcePort
from ports.transcriber_port import Checkpoint, ProgressListener, TranscriberPort, TranscriberState

UNITS_AHEAD = 2
"""Units of one recording in flight for each place of the engine: one at work, and one ready to follow.

This bounds the memory of a recording.
"""


class UnitTranscriber(TranscriberPort):
    """Reads recordings unit by unit, and has several recordings share the places of one engine evenly."""

    def __init__(
        self,
        source: SpeechSourcePort,
        recogniser: RecogniserPort,
        *,
        waiting_room: int,  # recordings that may wait for a place of the source
        language: str | None = None,  # of recordings whose callers name none; None: the engine finds it
        clock: Callable[[], float] = time.monotonic,  # monotonic seconds; measures the pace of the work
    ) -> None:
        self._source = source
        self._recogniser = recogniser
        self._language = language
        self._units_at_once = UNITS_AHEAD * recogniser.slots().total
        self._workload = Workload(clock)
        self._admission = Admission(source.slots().total, waiting_room, self._workload)

    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        on_progress: ProgressListener | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Transcript:
        """Check the options, wait for a place, and transcribe the recording."""
        with self._admission.entry():
            engine = await self._recogniser.engine()
            engine.check(options)
            if options.language is None:
                engine.check_setting(self._language)
            async with self._admission.place():
                with self._workload.tracking(on_progress) as listener:
                    hints = Hints(options.language or self._language, options.vocabulary)
                    recogniser = CheckedRecogniser(self._recogniser, engine, checkpoint)
                    work = RecordingAtWork(recogniser, engine, hints, self._units_at_once, listener)
                    async with contextlib.aclosing(self._source.read(recording, options)) as reading:
                        return await work.transcribe(reading)

    def check_capacity(self) -> None:
        """Refuse a recording before it is received, where `transcribe` would refuse it."""
        self._admission.check()

    def state(self) -> TranscriberState:
        """Count the recordings in progress or waiting, and the places that are ready."""
        engine, source = self._recogniser.slots(), self._source.slots()
        return TranscriberState(
            ready_slots=engine.ready if source.ready else 0,
            slots=engine.total,
            admitted=self._admission.admitted,
            capacity=self._admission.capacity,
            problem=engine.problem or source.problem,
            retry_after_seconds=self._workload.retry_after_seconds(),
        )
