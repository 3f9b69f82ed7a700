"""Signs of life: a worker that is stuck is killed, one that works is left to its work."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.speech.workers.process import EndReason
from adapters.speech.workers.protocol import Advanced, Cut, ReadToEnd
from adapters.speech.workers.readers import WorkerSpeechSource
from domain.model.errors import TranscriberStalledError, TranscriptionTooCostlyError
from domain.model.transcripts import DEFAULT_OPTIONS
from ports.recogniser_port import Hints
from ports.speech_source_port import SoundSummary
from ports.transcriber_port import Progress
from tests.contracts.speech_source_port import read_to_end
from tests.support.doubles.speech import heard, unit_of
from tests.support.harness.service import eventually
from tests.support.harness.workers import (
    ALL_IS_SPEECH,
    BUSY,
    LIMITS,
    TURN_SECONDS,
    impostor,
    processes,
    reading,
    recognising,
    supervised,
)
from tests.support.samples.recordings import DEMO

pytestmark = pytest.mark.process

SOON = replace(LIMITS, first_sign_seconds=0.5)
ONE_TURN = replace(LIMITS, first_sign_seconds=TURN_SECONDS, stall_seconds=TURN_SECONDS)
ADVANCED = Advanced(done_seconds=1.0, total_seconds=9.0).to_line().decode().strip()
READ = ReadToEnd(duration_seconds=9.0, is_audible=True, warnings=()).to_line().decode().strip()


async def test_the_first_sign_of_life_must_come_soon(tmp_path: Path) -> None:
    python = impostor(tmp_path, "say(READY); take(); wait()")

    async with recognising(processes(limits=SOON, python=python)) as recogniser:
        with pytest.raises(TranscriberStalledError, match=r"no progress for 0\.5 s"):
            await recogniser.recognise(unit_of(), Hints(), recording="one")


async def test_a_worker_that_does_not_take_its_unit_is_stuck(tmp_path: Path) -> None:
    python = impostor(tmp_path, "say(READY); time.sleep(600)")

    async with recognising(processes(limits=SOON, python=python)) as recogniser:
        with pytest.raises(TranscriberStalledError, match="no progress"):
            async with asyncio.timeout(60):
                await recogniser.recognise(unit_of(seconds=28), Hints(), recording="one")


async def test_a_worker_without_a_further_sign_of_life_is_killed_and_replaced(tmp_path: Path) -> None:
    python = impostor(tmp_path, f"say(READY); take(); say({ADVANCED!r}); wait()")
    limits = replace(ONE_TURN, first_sign_seconds=TURN_SECONDS - 0.1)
    async with supervised(processes(ALL_IS_SPEECH, limits=limits, python=python)) as workers:
        source = WorkerSpeechSource(workers, max_audio_seconds=60)
        await eventually(lambda: source.slots().ready == 1)
        steps = source.read(DEMO, DEFAULT_OPTIONS)
        assert await anext(steps) == Progress(1.0, 9.0)
        (pid,) = workers.pids()

        os.kill(pid, signal.SIGSTOP)

        with pytest.raises(TranscriberStalledError, match="no progress for 4 s"):
            await anext(steps)
        assert not Path(f"/proc/{pid}").exists()
        await eventually(lambda: source.slots().ready == 1)
        assert workers.pids() != (pid,)
        assert workers.ends()[EndReason.STALLED] == 1


async def test_a_worker_that_works_without_a_sign_of_life_is_left_to_its_work(tmp_path: Path) -> None:
    python = impostor(tmp_path, f"say(READY); take(); {BUSY}; say(ANSWER); wait()")

    async with recognising(processes(limits=ONE_TURN, python=python)) as recogniser:
        answer = await recogniser.recognise(unit_of(), Hints(), recording="one")

    assert answer == heard("hello from an impostor")


async def test_the_samples_of_a_unit_may_come_long_after_its_line(tmp_path: Path) -> None:
    unit = unit_of(seconds=1)
    cut = Cut.of(unit).to_line().decode().strip()
    program = f"""
say(READY); take(); say({cut!r}); {BUSY}
sys.stdout.buffer.write({unit.samples[:2]!r} * {len(unit.samples) // 2}); say(""); say({READ!r}); wait()
""".replace('say("");', "sys.stdout.buffer.flush();")
    python = impostor(tmp_path, program)

    async with reading(processes(ALL_IS_SPEECH, limits=ONE_TURN, python=python)) as source:
        steps = await read_to_end(source, DEMO)

    assert steps == [unit, SoundSummary(9.0, is_audible=True)]


async def test_a_recording_that_takes_too_much_processor_time_is_refused_for_its_costs(
    tmp_path: Path,
) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 5))"
    python = impostor(tmp_path, f"say(READY); take(); {limit}; work(1.5)")

    async with reading(processes(ALL_IS_SPEECH, python=python)) as source:
        with pytest.raises(TranscriptionTooCostlyError, match="of processor time per second of sound"):
            await read_to_end(source, DEMO)
        await eventually(lambda: source.slots().ready == 1)
