"""Transcriber on Amazon Transcribe: a recording is read here, and each of its voices is one job there."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from adapters.aws.transcribe.api import TranscribeApi
from adapters.aws.transcribe.jobs import TranscriptionJobs
from adapters.aws.transcribe.languages import CODES
from adapters.aws.transcribe.order import JobOrder
from adapters.aws.transcribe.output import parse_output
from adapters.aws.transcribe.patience import Timing
from adapters.aws.transcribe.progress import JobProgress
from adapters.aws.transcribe.threads import Threads
from adapters.aws.transcribe.voices import Voice, VoiceLimits, Voices, voices_in
from domain.model.engines import EngineDescription
from domain.model.errors import TranscriberUnavailableError
from domain.model.result_warnings import ResultWarning
from domain.model.speech import HeardUnit, SpeechUnit
from domain.model.transcripts import (
    DEFAULT_OPTIONS,
    Channels,
    Provenance,
    Segment,
    Transcript,
    TranscriptionOptions,
)
from domain.services.transcription.admission import Admission
from domain.services.transcription.joining import segments_of
from domain.services.transcription.recording import NO_WORDS, several_languages
from domain.services.transcription.workload import Workload
from ports.speech_source_port import SoundSummary, SpeechSourcePort
from ports.transcriber_port import Checkpoint, Progress, ProgressListener, TranscriberPort, TranscriberState

NAME, MODEL = "amazon-transcribe", "standard"
"""The engine as in TRANSCRIBER; Amazon tells nothing of the models behind it."""

MAX_THREADS = 32


class AmazonTranscribeOptions(NamedTuple):
    """Options of the transcriber."""

    places: int  # recordings at the same time
    waiting_room: int  # recordings that may wait for a place
    folder: Path  # for the FLAC of recordings at work, which no other user may read
    language: str | None = None  # of recordings whose callers name none; None: Amazon finds it
    max_speakers: int | None = None  # speakers of a voice that are told apart at most; None: none are
    limits: VoiceLimits = VoiceLimits()


class _VoiceHeard(NamedTuple):
    voice: Voice
    heard: HeardUnit

    @property
    def segments(self) -> tuple[Segment, ...]:
        return tuple(segments_of(self.voice, self.heard))


class AmazonTranscribeTranscriber(TranscriberPort):
    """Transcribes whole recordings with jobs of Amazon Transcribe, which cost money.

    The source must yield all sound, as speech or not: times count from the first sample that is sent.
    """

    def __init__(
        self,
        source: SpeechSourcePort,
        api: TranscribeApi,
        options: AmazonTranscribeOptions,
        timing: Timing | None = None,
    ) -> None:
        timing = timing or Timing()
        self._source = source
        self._bucket = api.bucket
        self._options = options
        self._threads = Threads(min(2 * options.places, MAX_THREADS))
        self._jobs = TranscriptionJobs(api, self._threads, timing)
        self._workload = Workload(timing.clock)
        self._admission = Admission(options.places, options.waiting_room, self._workload)
        self._problem: str | None = None  # why no recording could be transcribed the last time

    @property
    def engine(self) -> EngineDescription:
        """Vocabularies of Amazon Transcribe have names, and are made beforehand: it takes none with a job."""
        return EngineDescription(
            name=NAME,
            model=MODEL,
            languages=frozenset(CODES),
            finds_language=True,
            times_words=True,
            tells_speakers=self._options.max_speakers is not None,
        )

    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        on_progress: ProgressListener | None = None,
        checkpoint: Checkpoint | None = None,  # noqa: ARG002 - a job at Amazon is found again by its name
    ) -> Transcript:
        """Check the options, wait for a place, read the recording, and wait for its jobs."""
        with self._admission.entry():
            self.engine.check(options)
            async with self._admission.place():
                return await self._transcribe(recording, options, on_progress)

    async def _transcribe(
        self, recording: Path, options: TranscriptionOptions, on_progress: ProgressListener | None
    ) -> Transcript:
        with (
            self._workload.tracking(on_progress) as listener,
            voices_in(self._options.folder, self._options.limits) as voices,
        ):
            progress = JobProgress(listener)
            summary = await self._read(recording, options, voices, progress)
            heard = await self._hear(voices.with_sound(), options, progress)
            progress.finish(summary.duration_seconds)
            return _transcript(summary, heard)

    def check_capacity(self) -> None:
        """Refuse a recording before it is received, where `transcribe` would refuse it."""
        self._admission.check()

    def state(self) -> TranscriberState:
        """Count the recordings in progress or waiting; all places are ready when recordings can be read."""
        source = self._source.slots()
        return TranscriberState(
            ready_slots=self._options.places if source.ready else 0,
            slots=self._options.places,
            admitted=self._admission.admitted,
            capacity=self._admission.capacity,
            problem=source.problem or self._problem,
            retry_after_seconds=self._workload.retry_after_seconds(),
        )

    async def close(self) -> None:
        """Delete the jobs that no recording needs any more, within some seconds, and end the threads."""
        await self._jobs.leave()
        self._threads.close()

    async def _read(
        self, recording: Path, options: TranscriptionOptions, voices: Voices, progress: JobProgress
    ) -> SoundSummary:
        async with contextlib.aclosing(self._source.read(recording, options)) as reading:
            async for step in reading:
                match step:
                    case SpeechUnit():
                        await self._threads.run(partial(voices.add, step))
                    case Progress():
                        progress.read(step)
                    case SoundSummary():
                        await self._threads.run(voices.finish)
                        return step
        raise AssertionError("unreachable: a recording is read to its summary, or ends in an error")

    async def _hear(
        self, voices: Sequence[Voice], options: TranscriptionOptions, progress: JobProgress
    ) -> list[_VoiceHeard]:
        """Have all voices transcribed at the same time; the first error ends the other jobs."""
        seconds = sum(voice.seconds for voice in voices)

        async def hear(voice: Voice) -> _VoiceHeard:
            order = self._order(voice, options)
            output = await self._jobs.output(
                order, voice.file, voice.seconds, lambda elapsed: progress.waited(elapsed, seconds)
            )
            heard = await asyncio.to_thread(parse_output, output)
            return _VoiceHeard(voice, heard.model_copy(update={"language": heard.language or order.language}))

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(hear(voice)) for voice in voices]
        except BaseExceptionGroup as errors:
            self._problem = _problem_in(errors)
            raise errors.exceptions[0] from None
        self._problem = None
        return [task.result() for task in tasks]

    def _order(self, voice: Voice, options: TranscriptionOptions) -> JobOrder:
        """Order a job; speakers of separate channels are told apart by their channels."""
        is_separate = options.channels is Channels.SEPARATE
        return JobOrder(
            bucket=self._bucket,
            sound=voice.digest,
            track=voice.track,
            channel=voice.channel,
            language=options.language or self._options.language,
            max_speakers=None if is_separate else self._options.max_speakers,
        )


def _problem_in(errors: BaseExceptionGroup[BaseException]) -> str | None:
    """Return what keeps every recording from being transcribed; None where this one is at fault."""
    found = errors.subgroup(TranscriberUnavailableError)
    return None if found is None else str(found.exceptions[0])


def _transcript(summary: SoundSummary, heard: Sequence[_VoiceHeard]) -> Transcript:
    segments = sorted((each for voice in heard for each in voice.segments), key=attrgetter("start"))
    spoken = [voice.heard for voice in heard if voice.heard.text]
    main = max(spoken, key=lambda unit: len(unit.text), default=HeardUnit())
    return Transcript(
        duration_seconds=summary.duration_seconds,
        segments=tuple(segments),
        warnings=(*summary.warnings, *_warnings(summary, main, spoken)),
        provenance=Provenance(
            engine=NAME,
            model=MODEL,
            language=main.language,
            language_probability=main.language_probability,
        ),
    )


def _warnings(summary: SoundSummary, main: HeardUnit, spoken: Sequence[HeardUnit]) -> Iterator[ResultWarning]:
    if not spoken and summary.is_audible:
        yield NO_WORDS
    if others := {unit.language for unit in spoken if unit.language} - {main.language}:
        yield several_languages(main.language, sorted(others))
