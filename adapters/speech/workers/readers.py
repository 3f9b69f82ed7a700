"""Reading in supervised processes: a decoder may crash on hostile input, or be taken over by it."""

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from adapters.speech.workers.protocol import Advanced, ReadJob, ReadToEnd
from adapters.speech.workers.supervision import SupervisedWorkers
from domain.model.speech import SpeechUnit
from domain.model.transcripts import TranscriptionOptions
from ports.recogniser_port import Slots
from ports.speech_source_port import Reading, SoundSummary, SpeechSourcePort
from ports.transcriber_port import Progress


class WorkerSpeechSource(SpeechSourcePort):
    """Reads each recording in a process of its own, whose pipe bounds how far it reads ahead."""

    def __init__(self, workers: SupervisedWorkers, *, max_audio_seconds: float) -> None:
        self._workers = workers
        self._max_audio_seconds = max_audio_seconds

    async def read(self, recording: Path, options: TranscriptionOptions, /) -> AsyncGenerator[Reading]:
        """Wait for a process, and read the recording in it."""
        job = ReadJob(recording=recording, max_audio_seconds=self._max_audio_seconds, options=options)
        worker = await self._workers.idle.get()
        try:
            async with contextlib.aclosing(worker.converse(job)) as answers:
                async for answer in answers:
                    match answer:
                        case SpeechUnit():
                            yield answer
                        case Advanced():
                            yield Progress(answer.done_seconds, answer.total_seconds)
                        case ReadToEnd():
                            yield SoundSummary(answer.duration_seconds, answer.is_audible, answer.warnings)
        finally:
            self._workers.idle.put_nowait(worker)

    def slots(self) -> Slots:
        """Count the processes, and those that are ready."""
        return self._workers.slots()
