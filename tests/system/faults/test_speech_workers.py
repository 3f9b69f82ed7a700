"""Faults of speech workers in mid-recording: the transcript is complete, or the recording fails alone."""

import asyncio
import contextlib
import sys
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters.speech.workers.process import WorkerProcess
from adapters.speech.workers.readers import WorkerSpeechSource
from adapters.speech.workers.recognisers import WorkerRecogniser
from adapters.speech.workers.supervision import SupervisedWorkers
from domain.model.errors import TranscriberCrashedError
from domain.model.speech import HeardUnit, SpeechUnit
from domain.model.transcripts import Transcript
from domain.services.transcription.transcriber import UNITS_AHEAD, UnitTranscriber
from ports.recogniser_port import Hints
from tests.support.harness.service import eventually
from tests.support.harness.workers import ALL_IS_SPEECH, LIMITS, impostor, processes, supervised
from tests.support.samples.recordings import record, silence, tone, wav_bytes

pytestmark = [pytest.mark.process, pytest.mark.speech]

HONEST = "say(READY)\nwhile True: say(hear(take()))"


class NotingRecogniser(WorkerRecogniser):
    """Notes the units that it is asked for."""

    def __init__(self, workers: SupervisedWorkers) -> None:
        super().__init__(workers)
        self.asked: list[float] = []  # seconds of each unit
        self.in_flight = 0
        self.most_in_flight = 0

    async def recognise(
        self, unit: SpeechUnit, hints: Hints, /, *, recording: object, again: bool = False
    ) -> HeardUnit:
        self.asked.append(unit.seconds)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await super().recognise(unit, hints, recording=recording, again=again)
        finally:
            self.in_flight -= 1


class Bench:
    """A transcriber, and the parts of it that tests look at."""

    def __init__(self, readers: SupervisedWorkers, recognisers: SupervisedWorkers) -> None:
        self.readers = readers
        self.recogniser = NotingRecogniser(recognisers)
        source = WorkerSpeechSource(readers, max_audio_seconds=7200)
        self.transcriber = UnitTranscriber(source, self.recogniser, waiting_room=1)

    async def transcribe(self, recording: Path) -> Transcript:
        return await self.transcriber.transcribe(recording)


@contextlib.asynccontextmanager
async def bench(
    recognisers: Sequence[WorkerProcess], *, readers: Sequence[WorkerProcess] = ()
) -> AsyncIterator[Bench]:
    """Run a transcriber whose readers take all sound for speech."""
    async with (
        supervised(readers or processes(ALL_IS_SPEECH)) as reading,
        supervised(recognisers) as recognising,
    ):
        yield Bench(reading, recognising)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Record five units: only the third has sound."""
    sound = np.concatenate([silence(55), tone(5), silence(60)])
    return record(tmp_path / "recording.wav", sound)


@pytest.fixture
async def expected(tmp_path: Path, recording: Path) -> Transcript:
    async with bench(processes(python=impostor(tmp_path / "honest", HONEST))) as honest:
        transcript = await honest.transcribe(recording)
    assert len(transcript.segments) == 5
    assert transcript.quality.retried_units == 0
    return transcript


def dies_in_the_third_unit(times: int) -> str:
    return f"""
say(READY)
while True:
    samples = take()
    if any(samples) and count("deaths") <= {times}:
        os.kill(os.getpid(), signal.SIGKILL)
    say(hear(samples))
"""


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_worker_that_is_killed_in_the_third_unit_costs_a_second_try(
    tmp_path: Path, recording: Path, expected: Transcript, workers: int
) -> None:
    python = impostor(tmp_path / "dying", dies_in_the_third_unit(1))

    async with bench(processes(count=workers, python=python)) as dying:
        transcript = await dying.transcribe(recording)

    assert transcript.segments == expected.segments
    assert transcript.quality == expected.quality.model_copy(update={"retried_units": 1})


async def test_a_unit_that_kills_its_worker_twice_fails_its_recording_alone(
    tmp_path: Path, recording: Path, expected: Transcript
) -> None:
    python = impostor(tmp_path / "dying", dies_in_the_third_unit(2))

    async with bench(processes(count=2, python=python)) as dying:
        with pytest.raises(TranscriberCrashedError, match="killed by SIGKILL"):
            await dying.transcribe(recording)

        assert dying.transcriber.state().admitted == 0
        assert await dying.transcribe(recording) == expected


@pytest.mark.parametrize("workers", [1, 2])
async def test_an_engine_that_goes_silent_in_mid_run_is_replaced_and_the_text_is_complete(
    tmp_path: Path, recording: Path, expected: Transcript, workers: int
) -> None:
    silent_from_the_second_on = """
say(READY); say(hear(take()))
while True: take(); say(hear(b""))
"""
    python = impostor(tmp_path / "silent", silent_from_the_second_on)

    async with bench(processes(count=workers, python=python)) as silent:
        transcript = await silent.transcribe(recording)

    assert transcript.segments == expected.segments
    assert transcript.quality.suspect_units == 0
    assert transcript.quality.retried_units >= 3 - workers
    assert transcript.quality.coverage == 1.0


async def test_a_reader_that_sends_garbage_fails_its_recording_alone(
    tmp_path: Path, recording: Path, expected: Transcript
) -> None:
    honest = processes(python=impostor(tmp_path / "recogniser", HONEST))
    real = f"os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])"
    once = f'if count("starts") == 1:\n    say(READY); take(); say("garbage"); wait()\nelse:\n    {real}'
    readers = processes(ALL_IS_SPEECH, python=impostor(tmp_path / "reader", once))

    async with bench(honest, readers=readers) as garbled:
        with pytest.raises(TranscriberCrashedError, match="invalid message"):
            await garbled.transcribe(recording)

        assert await garbled.transcribe(recording) == expected


WAITS_AT_A_GATE = """
say(READY)
while True:
    samples = take()
    while not os.path.exists(sys.argv[0] + ".open"):
        time.sleep(0.01)
    say(hear(samples))
"""


async def test_a_short_recording_does_not_wait_for_a_long_one(tmp_path: Path) -> None:
    python = impostor(tmp_path / "gate", WAITS_AT_A_GATE)
    long = record(tmp_path / "long.wav", tone(300))
    short = record(tmp_path / "short.wav", tone(5))

    async with bench(processes(python=python), readers=processes(ALL_IS_SPEECH, 2)) as fair:
        at_work = asyncio.ensure_future(fair.transcribe(long))
        await eventually(lambda: len(fair.recogniser.asked) == UNITS_AHEAD)
        waiting = asyncio.ensure_future(fair.transcribe(short))
        await eventually(lambda: 5 in fair.recogniser.asked)

        python.with_name("python.open").touch()
        await waiting

        assert len(fair.recogniser.asked) <= 2 * UNITS_AHEAD + 1  # the long one has ten units and more
        assert not at_work.done()
        assert (await at_work).segments


async def test_hanging_up_ends_the_work_on_that_recording_alone(tmp_path: Path) -> None:
    python = impostor(tmp_path / "gate", WAITS_AT_A_GATE)
    long = record(tmp_path / "long.wav", tone(300))
    short = record(tmp_path / "short.wav", tone(5))

    async with bench(processes(python=python), readers=processes(ALL_IS_SPEECH, 2)) as gate:
        hung_up = asyncio.ensure_future(gate.transcribe(long))
        await eventually(lambda: len(gate.recogniser.asked) == UNITS_AHEAD)
        other = asyncio.ensure_future(gate.transcribe(short))
        await eventually(lambda: 5 in gate.recogniser.asked)

        hung_up.cancel()
        await asyncio.gather(hung_up, return_exceptions=True)

        assert (gate.recogniser.in_flight, gate.transcriber.state().admitted) == (1, 1)
        python.with_name("python.open").touch()
        assert (await other).segments
        assert len(gate.recogniser.asked) == UNITS_AHEAD + 1


async def test_a_reader_that_waits_for_a_slow_engine_is_not_taken_for_stuck(tmp_path: Path) -> None:
    python = impostor(tmp_path / "gate", WAITS_AT_A_GATE)
    impatient = replace(LIMITS, stall_seconds=1.0)
    long = record(tmp_path / "long.wav", tone(300))

    async with bench(processes(python=python), readers=processes(ALL_IS_SPEECH, limits=impatient)) as slow:
        at_work = asyncio.ensure_future(slow.transcribe(long))
        await eventually(lambda: len(slow.recogniser.asked) == UNITS_AHEAD)
        await asyncio.sleep(2 * impatient.stall_seconds)

        python.with_name("python.open").touch()

        assert (await at_work).duration_seconds == 300


@pytest.mark.slow
async def test_an_hour_of_sound_takes_no_more_memory_than_ten_minutes(tmp_path: Path) -> None:
    python = impostor(tmp_path / "honest", HONEST)
    peaks: list[tuple[int, int]] = []
    for minutes in (10, 60):
        hour = tmp_path / f"{minutes}.wav"
        hour.write_bytes(_telephone_noise(minutes * 60))
        async with bench(processes(count=2, python=python)) as steady:
            await eventually(steady.readers.pids)
            tracemalloc.start()
            try:
                transcript = await steady.transcribe(hour)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            peaks.append((peak, _peak_kilobytes(*steady.readers.pids())))
        assert transcript.duration_seconds == minutes * 60
        assert steady.recogniser.most_in_flight <= 2 * UNITS_AHEAD

    (service_short, reader_short), (service_long, reader_long) = peaks
    assert service_long < 1.15 * service_short + 2_000_000  # the words of an hour
    assert reader_long < 1.15 * reader_short


def _telephone_noise(seconds: int) -> bytes:
    noise = np.random.default_rng(13).integers(0, 256, 8_000 * 60, np.uint8).tobytes()
    return wav_bytes(noise * (seconds // 60), rate=8_000, tag=7, bits=8)


def _peak_kilobytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])
