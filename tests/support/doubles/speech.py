"""Doubles of a recogniser and of a source of speech; what passes through them is serialised on its way."""

import asyncio
import contextlib
import zlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from adapters.speech.workers.protocol import (
    Advanced,
    Cut,
    Failed,
    Message,
    ReadToEnd,
    Recognised,
    UnitJob,
    parse_job,
    parse_message,
)
from domain.model.engines import EngineDescription
from domain.model.errors import EmptyRecordingError, NotAudioError, TranscriberUnavailableError
from domain.model.speech import BYTES_PER_SAMPLE, SAMPLE_RATE, HeardSegment, HeardUnit, HeardWord, SpeechUnit
from domain.model.transcripts import Channels, TranscriptionOptions
from ports.recogniser_port import Hints, RecogniserPort, Slots
from ports.speech_source_port import Reading, SoundSummary, SpeechSourcePort
from ports.transcriber_port import Progress

FAKE_ENGINE = EngineDescription(
    name="fake", model="alphabet", languages=frozenset({"en", "de"}), takes_vocabulary=True, times_words=True
)
ALPHABET = (
    *("alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo"),
    *("lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform"),
    *("victor", "whiskey", "xray", "yankee", "zulu"),
)


def unit_of(
    start_seconds: float = 0.0,
    seconds: float = 10.0,
    *,
    track: int | None = None,
    channel: int | None = None,
    sound: int = 1,  # value of its samples, which decides what `FakeRecogniser` hears
) -> SpeechUnit:
    """Build a unit that is all speech."""
    samples = int(seconds * SAMPLE_RATE)
    return SpeechUnit(
        start=int(start_seconds * SAMPLE_RATE),
        samples=sound.to_bytes(BYTES_PER_SAMPLE, "little") * samples,
        speech=((0, samples),),
        track=track,
        channel=channel,
    )


def heard(text: str, seconds: float = 10.0, *, language: str | None = "en") -> HeardUnit:
    """Build an answer of one segment whose words fill the given time evenly."""
    tokens = text.split()
    length = seconds / max(len(tokens), 1)
    words = tuple(
        HeardWord(start=number * length, end=(number + 1) * length, text=token, confidence=0.9)
        for number, token in enumerate(tokens)
    )
    segment = HeardSegment(start=0.0, end=seconds, text=text, words=words)
    return HeardUnit(segments=(segment,) if text else (), language=language, language_probability=0.9)


class UnitCall(NamedTuple):
    """One call of a recogniser."""

    unit: SpeechUnit
    hints: Hints
    recording: object
    again: bool


def alphabet(call: UnitCall) -> HeardUnit:
    """Hear two words a second, which depend on the samples alone and fit the speech."""
    first, count = zlib.crc32(call.unit.samples), int(2 * call.unit.seconds)
    text = " ".join(ALPHABET[(first + number) % len(ALPHABET)] for number in range(count))
    return heard(text, call.unit.seconds, language=call.hints.language or "en")


class FakeRecogniser(RecogniserPort):
    """Recogniser whose answers a function gives, or raises; recordings take turns at its places.

    `may_answer.clear()` holds all calls until `may_answer.set()`.
    """

    def __init__(
        self,
        answer: Callable[[UnitCall], HeardUnit] = alphabet,
        *,
        engine: EngineDescription = FAKE_ENGINE,
        places: int = 1,
    ) -> None:
        self._answer = answer
        self._engine = engine
        self._places = places
        self._waiting: list[tuple[object, asyncio.Future[None]]] = []
        self._served: Counter[int] = Counter()
        self.problem: str | None = None  # set it for an engine that cannot be started
        self.calls: list[UnitCall] = []  # in the order in which they got a place
        self.at_work = 0
        self.most_at_work = 0
        self.cancelled = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def engine(self) -> EngineDescription:
        if self.problem is not None:
            raise TranscriberUnavailableError(self.problem)
        return self._engine

    async def recognise(
        self, unit: SpeechUnit, hints: Hints, /, *, recording: object, again: bool = False
    ) -> HeardUnit:
        await self.engine()
        async with self._place(recording):
            call = UnitCall(_passed_on(unit), _sent(unit, hints, again=again), recording, again)
            self.calls.append(call)
            try:
                await asyncio.sleep(0)  # work takes a while: others get their turns to call, or to cancel
                await self.may_answer.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            return _received(self._answer(call))

    def slots(self) -> Slots:
        return Slots(0 if self.problem else self._places, self._places, self.problem)

    @contextlib.asynccontextmanager
    async def _place(self, recording: object) -> AsyncIterator[None]:
        await self._turn(recording)
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            yield
        finally:
            self.at_work -= 1
            self._hand_out()

    async def _turn(self, recording: object) -> None:
        turn = recording, asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._hand_out()
        try:
            await turn[1]
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif not turn[1].cancelled():
                self.at_work -= 1
                self._hand_out()
            raise

    def _hand_out(self) -> None:
        """Give free places to the recordings that were served least."""
        while self._waiting and self.at_work < self._places:
            turn = min(self._waiting, key=lambda waiting: self._served[id(waiting[0])])
            self._waiting.remove(turn)
            if not turn[1].done():
                self._served[id(turn[0])] += 1
                self.at_work += 1
                turn[1].set_result(None)


class FakeSpeechSource(SpeechSourcePort):
    """Source of recordings that `write_reading` wrote; it reads a file step by step, as it is asked."""

    def __init__(self, *, places: int = 1) -> None:
        self._places = places
        self.options: list[TranscriptionOptions] = []  # of each recording that was begun
        self.problem: str | None = None  # set it for a decoder that cannot be started
        self.steps_read = 0  # of all recordings
        self.position = 0  # bytes read of the latest recording
        self.open: list[Path] = []  # recordings being read

    async def read(self, recording: Path, options: TranscriptionOptions, /) -> AsyncGenerator[Reading]:
        if self.problem is not None:
            raise TranscriberUnavailableError(self.problem)
        self.options.append(options)
        self.open.append(recording)
        try:
            with recording.open("rb") as file:
                for step in _steps(file):
                    self.steps_read, self.position = self.steps_read + 1, file.tell()
                    if not isinstance(step, SpeechUnit) or _is_chosen(step, options):
                        yield step
        finally:
            self.open.remove(recording)

    def slots(self) -> Slots:
        return Slots(0 if self.problem else self._places, self._places, self.problem)


def write_reading(path: Path, *steps: Reading | Exception) -> Path:
    """Write a recording for `FakeSpeechSource`: what it will read, or the error in which that ends.

    Units without a channel are read where channels are mixed, the others where they are separate.
    """
    with path.open("wb") as file:
        for step in steps:
            match step:
                case SpeechUnit():
                    file.write(Cut.of(step).to_line() + step.samples)
                case Progress():
                    file.write(Advanced(**step._asdict()).to_line())
                case SoundSummary():
                    file.write(ReadToEnd(**step._asdict()).to_line())
                case Exception():
                    file.write(Failed.of(step).to_line())
    return path


def _steps(file: BinaryIO) -> Iterator[Reading]:
    line = file.readline()
    if not line:
        raise EmptyRecordingError("The recording is empty.")
    while line:
        match _parsed(line):
            case Cut() as cut:
                yield cut.with_samples(file.read(cut.size))
            case Advanced() as advanced:
                yield Progress(advanced.done_seconds, advanced.total_seconds)
            case ReadToEnd() as read:
                yield SoundSummary(read.duration_seconds, read.is_audible, read.warnings)
            case Failed() as failed:
                raise failed.to_error()
        line = file.readline()


def _parsed(line: bytes) -> Message:
    try:
        return parse_message(line)
    except ValueError as error:
        raise NotAudioError("The recording was not made by `write_reading`.") from error


def _is_chosen(unit: SpeechUnit, options: TranscriptionOptions) -> bool:
    return (unit.channel is not None) == (options.channels is Channels.SEPARATE)


def _passed_on(unit: SpeechUnit) -> SpeechUnit:
    """Serialise a unit and parse it again."""
    cut = parse_message(Cut.of(unit).to_line())
    assert isinstance(cut, Cut)
    return cut.with_samples(bytes(unit.samples))


def _sent(unit: SpeechUnit, hints: Hints, *, again: bool) -> Hints:
    """Serialise the job that a worker would get, and parse it again."""
    job = UnitJob(size=len(unit.samples), language=hints.language, vocabulary=hints.vocabulary, again=again)
    parsed = parse_job(job.to_line())
    assert isinstance(parsed, UnitJob)
    return Hints(parsed.language, parsed.vocabulary)


def _received(answer: HeardUnit) -> HeardUnit:
    """Serialise an answer and parse it again."""
    parsed = parse_message(Recognised(heard=answer).to_line())
    assert isinstance(parsed, Recognised)
    return parsed.heard
