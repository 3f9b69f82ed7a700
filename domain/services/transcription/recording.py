"""One recording at work: its units on their way through the engine."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from domain.model.engines import EngineDescription
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.model.speech import SpeechUnit
from domain.model.transcripts import Provenance, Quality, Segment, Transcript
from domain.services.transcription.joining import segments_of
from domain.services.transcription.language import LanguageVote
from domain.services.transcription.progress import ProgressLine
from domain.services.transcription.unit_recognition import CheckedRecogniser, CheckedUnit
from ports.recogniser_port import Hints
from ports.speech_source_port import Reading, SoundSummary
from ports.transcriber_port import Progress, ProgressListener

NO_WORDS = ResultWarning(
    code=WarningCode.NO_WORDS_HEARD, detail="The recording has sound, but no words were recognised in it."
)


def several_languages(main: str | None, others: Iterable[str]) -> ResultWarning:
    """Warn of a recording whose parts were heard in different languages."""
    detail = f"The recording is mostly in {main!r}; parts of it were heard as {', '.join(others)}."
    return ResultWarning(code=WarningCode.SEVERAL_LANGUAGES, detail=detail)


@dataclass(frozen=True, slots=True)
class UnitResult:
    """Segments and figures of a recognised unit, without its samples."""

    segments: tuple[Segment, ...]
    speech_seconds: float
    covered_seconds: float
    is_suspect: bool
    was_retried: bool

    @classmethod
    def of(cls, checked: CheckedUnit) -> "UnitResult":
        """Keep what the transcript needs."""
        is_suspect = bool(checked.suspicions)
        return cls(
            segments=tuple(segments_of(checked.unit, checked.heard, is_doubtful=is_suspect)),
            speech_seconds=checked.unit.speech_seconds,
            covered_seconds=checked.covered_seconds,
            is_suspect=is_suspect,
            was_retried=checked.was_retried,
        )


class RecordingAtWork:
    """Reads a recording, has some of its units recognised at once, and joins the results in order."""

    def __init__(
        self,
        recogniser: CheckedRecogniser,
        engine: EngineDescription,
        hints: Hints,
        units_at_once: int,
        on_progress: ProgressListener,
    ) -> None:
        self._recogniser = recogniser
        self._engine = engine
        self._hints = hints
        self._free = asyncio.Semaphore(units_at_once)
        self._vote = LanguageVote()
        self._voted = asyncio.Event()  # by the unit read last; each unit votes after the one before it
        self._voted.set()
        self._line = ProgressLine(on_progress)

    async def transcribe(self, reading: AsyncIterator[Reading]) -> Transcript:
        """Take the recording to its end; the first error ends all work on it.

        Raises:
            RecordingError: the recording is at fault (see its subclasses).
            TranscriptionError: the engine is at fault.
        """
        try:
            async with asyncio.TaskGroup() as group:
                summary, tasks = await self._read(reading, group)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return self._transcript(summary, [task.result() for task in tasks])

    async def _read(
        self, reading: AsyncIterator[Reading], group: asyncio.TaskGroup
    ) -> tuple[SoundSummary, Sequence[asyncio.Task[UnitResult]]]:
        tasks: list[asyncio.Task[UnitResult]] = []
        async for step in reading:
            match step:
                case SpeechUnit():
                    await self._free.acquire()
                    before, self._voted = self._voted, asyncio.Event()
                    finished = self._line.begin_unit()
                    work = self._recognised(step, may_vote=before, voted=self._voted)
                    tasks.append(group.create_task(work))
                    tasks[-1].add_done_callback(finished)
                case Progress():
                    self._line.read_to(step)
                case SoundSummary():
                    return step, tasks
        raise AssertionError("unreachable: a recording is read to its summary, or ends in an error")

    async def _recognised(
        self, unit: SpeechUnit, *, may_vote: asyncio.Event, voted: asyncio.Event
    ) -> UnitResult:
        """Recognise a unit; then, in the order of the units, hold its language against the vote."""
        try:
            checked = await self._recogniser.recognise(unit, self._hints, self)
            await may_vote.wait()
            language = self._vote.decide(unit, checked.heard)
            voted.set()
            if language is not None:
                hints = self._hints._replace(language=language)
                checked = await self._recogniser.recognise_as(checked, hints, self)
            return UnitResult.of(checked)
        finally:
            self._free.release()

    def _transcript(self, summary: SoundSummary, results: Sequence[UnitResult]) -> Transcript:
        segments = sorted((each for result in results for each in result.segments), key=attrgetter("start"))
        self._line.finish(summary.duration_seconds)
        return Transcript(
            duration_seconds=summary.duration_seconds,
            segments=tuple(segments),
            warnings=tuple(dict.fromkeys([*summary.warnings, *self._warnings(summary, segments)])),
            provenance=Provenance(
                engine=self._engine.name,
                model=self._engine.model,
                language=self._vote.language or self._hints.language,
                language_probability=self._vote.probability,
            ),
            quality=_quality(results),
        )

    def _warnings(self, summary: SoundSummary, segments: Sequence[Segment]) -> Iterator[ResultWarning]:
        if not segments and summary.is_audible:
            yield NO_WORDS
        if self._vote.others:
            yield several_languages(self._vote.language, self._vote.others)


def _quality(results: Sequence[UnitResult]) -> Quality:
    speech = sum(result.speech_seconds for result in results)
    covered = sum(result.covered_seconds for result in results)
    return Quality(
        suspect_units=sum(result.is_suspect for result in results),
        retried_units=sum(result.was_retried for result in results),
        coverage=round(min(covered / speech, 1.0), 3) if speech else 1.0,
    )
