"""Reading in supervised processes: a decoder may crash on hostile input, or be taken over by it."""

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from adapters.speech.workers.conversation import Answer
from adapters.speech.workers.protocol import Advanced, ReadJob, ReadToEnd
from adapters.speech.workers.supervision import SupervisedWorkers
from domain.model.errors import TranscriberCrashedError
from domain.model.speech import BYTES_PER_SAMPLE, SAMPLE_RATE, SpeechUnit
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
        order = _Order()
        async with (
            self._workers.queue.turn(object()) as worker,
            contextlib.aclosing(worker.converse(job)) as answers,
        ):
            async for answer in answers:
                step = order.step(answer)
                if step is None:
                    await worker.replace()
                    raise TranscriberCrashedError("The transcriber contradicted itself and was killed.")
                yield step

    def slots(self) -> Slots:
        """Count the processes, and those that are ready."""
        return self._workers.slots()


class _Order:
    """Checks that units do not overlap and lie within the recording: a reader is not trusted."""

    def __init__(self) -> None:
        self._ends: dict[tuple[int | None, int | None], int] = {}  # sample behind the last unit of each voice

    def step(self, answer: Answer) -> Reading | None:
        """Return an answer of a reader as a step of reading; None where it contradicts an earlier one."""
        match answer:
            case Advanced():
                return Progress(answer.done_seconds, answer.total_seconds)
            case SpeechUnit() if self._follows(answer):
                return answer
            case ReadToEnd() if answer.duration_seconds >= self._seconds():
                return SoundSummary(answer.duration_seconds, answer.is_audible, answer.warnings)
        return None

    def _follows(self, unit: SpeechUnit) -> bool:
        voice = (unit.track, unit.channel)
        before, self._ends[voice] = (
            self._ends.get(voice, 0),
            unit.start + len(unit.samples) // BYTES_PER_SAMPLE,
        )
        return unit.start >= before

    def _seconds(self) -> float:
        return max(self._ends.values(), default=0) / SAMPLE_RATE
