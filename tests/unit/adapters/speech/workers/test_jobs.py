"""Jobs of a worker: what ends its process, and what it survives."""

import asyncio
import logging
import os
import signal
from pathlib import Path

import pytest

from adapters.speech.workers.process import EndReason
from adapters.speech.workers.protocol import Failed
from adapters.speech.workers.readers import WorkerSpeechSource
from adapters.speech.workers.recognisers import WorkerRecogniser
from domain.model.errors import NotAudioError, TranscriberCrashedError
from domain.model.transcripts import DEFAULT_OPTIONS
from ports.recogniser_port import Hints
from ports.transcriber_port import Progress
from tests.contracts.speech_source_port import read_to_end
from tests.support.doubles.speech import unit_of
from tests.support.harness.service import eventually
from tests.support.harness.workers import ALL_IS_SPEECH, impostor, processes, reading, recognising, supervised
from tests.support.samples.recordings import DEMO

pytestmark = pytest.mark.process

TAKES_A_UNIT_AND_HANGS = "say(READY); take(); open(sys.argv[0] + '.took', 'w'); wait()"


async def test_a_killed_worker_fails_its_own_unit_only_and_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    python = impostor(tmp_path, TAKES_A_UNIT_AND_HANGS)
    workers = [*processes(python=python), *processes()]
    async with supervised(workers) as running:
        recogniser = WorkerRecogniser(running)
        await eventually(lambda: recogniser.slots().ready == 2)
        before = running.pids()
        victim = asyncio.ensure_future(recogniser.recognise(unit_of(), Hints(), recording="one"))
        await eventually(python.with_name("python.took").exists)
        bystander = await recogniser.recognise(unit_of(), Hints(), recording="another")

        os.kill(before[0], signal.SIGKILL)

        with pytest.raises(TranscriberCrashedError, match="killed by SIGKILL"):
            await victim
        assert bystander.text
        await eventually(lambda: recogniser.slots().ready == 2)
        assert running.pids()[0] != before[0]
        assert running.pids()[1] == before[1]
        assert running.ends() == {EndReason.CRASHED: 1}
    assert "worker ended" in caplog.text


async def test_cancelling_a_unit_kills_its_process(tmp_path: Path) -> None:
    python = impostor(tmp_path, TAKES_A_UNIT_AND_HANGS)
    async with supervised(processes(python=python)) as workers:
        recogniser = WorkerRecogniser(workers)
        task = asyncio.ensure_future(recogniser.recognise(unit_of(), Hints(), recording="one"))
        await eventually(python.with_name("python.took").exists)
        (pid,) = workers.pids()

        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert not Path(f"/proc/{pid}").exists()
        await eventually(lambda: recogniser.slots().ready == 1)
        assert workers.ends() == {EndReason.CANCELLED: 1}


async def test_hanging_up_in_mid_recording_kills_the_reader(tmp_path: Path) -> None:
    advanced = '{"kind": "advanced", "done_seconds": 1, "total_seconds": 9}'
    python = impostor(tmp_path, f"say(READY); take(); say({advanced!r}); wait()")
    async with supervised(processes(ALL_IS_SPEECH, python=python)) as workers:
        steps = WorkerSpeechSource(workers, max_audio_seconds=60).read(DEMO, DEFAULT_OPTIONS)
        assert await anext(steps) == Progress(1.0, 9.0)
        (pid,) = workers.pids()

        await steps.aclose()

        assert not Path(f"/proc/{pid}").exists()


async def test_hanging_up_on_a_reader_that_has_read_ahead_kills_it_as_well(tmp_path: Path) -> None:
    unit = unit_of(seconds=28)
    units = f"""
say(READY); take()
for number in range(100):
    count("units")
    cut = {{"kind": "cut", "size": {len(unit.samples)}, "start": number * 28 * 16000, "speech": []}}
    say(json.dumps({{**cut, "track": None, "channel": None}}))
    sys.stdout.buffer.write(bytes({len(unit.samples)}))
"""
    python = impostor(tmp_path, units)
    async with supervised(processes(ALL_IS_SPEECH, python=python)) as workers:
        steps = WorkerSpeechSource(workers, max_audio_seconds=60).read(DEMO, DEFAULT_OPTIONS)
        assert await anext(steps)
        (pid,) = workers.pids()
        await eventually(lambda: python.with_name("python.units").stat().st_size > 2)  # the pipe is full

        async with asyncio.timeout(60):
            await steps.aclose()

        assert not Path(f"/proc/{pid}").exists()


async def test_a_child_that_got_away_does_not_delay_the_end_of_its_worker(tmp_path: Path) -> None:
    got_away = """
say(READY)
if not os.path.exists(sys.argv[0] + ".units") and os.fork() == 0:
    os.setsid()
    while not os.path.exists(sys.argv[0] + ".end"): time.sleep(0.1)
else:
    take(); count("units"); wait()
"""
    python = impostor(tmp_path, got_away)
    try:
        async with supervised(processes(python=python)) as workers:
            task = asyncio.ensure_future(
                WorkerRecogniser(workers).recognise(unit_of(), Hints(), recording="one")
            )
            await eventually(python.with_name("python.units").exists)
            (pid,) = workers.pids()

            task.cancel()
            await asyncio.wait({task}, timeout=300)

            assert task.cancelled()
            assert not Path(f"/proc/{pid}").exists()
    finally:
        python.with_name("python.end").touch()


async def test_a_reader_whose_recording_is_at_fault_stays(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("no recording")
    async with supervised(processes(ALL_IS_SPEECH)) as workers:
        await eventually(workers.pids)
        before = workers.pids()

        with pytest.raises(NotAudioError):
            await read_to_end(WorkerSpeechSource(workers, max_audio_seconds=60), tmp_path / "letter")

        assert workers.pids() == before
        assert workers.ends() == {}


async def test_a_unit_that_is_recognised_again_gets_a_fresh_process() -> None:
    async with supervised(processes()) as workers:
        recogniser = WorkerRecogniser(workers)
        await recogniser.recognise(unit_of(), Hints(), recording="one")
        before = workers.pids()

        await recogniser.recognise(unit_of(), Hints(), recording="one", again=True)

        assert len(workers.pids()) == 1
        assert workers.pids() != before
        assert workers.ends() == {EndReason.REPLACED: 1}


async def test_a_process_that_has_done_no_work_is_fresh_enough() -> None:
    async with supervised(processes()) as workers:
        await eventually(workers.pids)
        before = workers.pids()

        await WorkerRecogniser(workers).recognise(unit_of(), Hints(), recording="one", again=True)

        assert workers.pids() == before


async def test_the_event_loop_stays_free_while_a_worker_works(tmp_path: Path) -> None:
    python = impostor(tmp_path, TAKES_A_UNIT_AND_HANGS)
    async with recognising(processes(python=python)) as recogniser:
        task = asyncio.ensure_future(recogniser.recognise(unit_of(seconds=28), Hints(), recording="one"))
        await eventually(python.with_name("python.took").exists)
        for _ in range(50):
            await asyncio.sleep(0.001)

        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_a_defect_raises_in_a_worker_is_logged_with_its_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    failed = Failed(error="TranscriberCrashedError", message="failed with ZeroDivisionError", trace="Trace")
    line = failed.to_line().decode().strip()
    python = impostor(tmp_path, f"say(READY); take(); say({line!r}); wait()")

    async with recognising(processes(python=python)) as recogniser:
        with pytest.raises(TranscriberCrashedError, match="ZeroDivisionError"):
            await recogniser.recognise(unit_of(), Hints(), recording="one")

    assert any(record.__dict__.get("trace") == "Trace" for record in caplog.records)


async def test_a_worker_takes_jobs_of_its_own_kind_alone() -> None:
    async with (
        reading(processes()) as recogniser_that_should_read,
        recognising(processes(ALL_IS_SPEECH)) as reader_that_should_recognise,
    ):
        with pytest.raises(TranscriberCrashedError, match="TypeError"):
            await read_to_end(recogniser_that_should_read, DEMO)
        with pytest.raises(TranscriberCrashedError, match="TypeError"):
            await reader_that_should_recognise.recognise(unit_of(), Hints(), recording="one")
