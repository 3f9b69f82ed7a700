"""The worker pool with real worker processes, which are killed, stopped, and replaced by faulty ones."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.speech.workers import sandbox
from adapters.speech.workers.pool import WorkerPoolTranscriber
from adapters.speech.workers.process import WorkerLimits, WorkerProcess
from adapters.speech.workers.protocol import Advanced, Failed, Finished, Ready
from domain.model.errors import (
    AudioTooLongError,
    NotAudioError,
    TranscriberBusyError,
    TranscriberCrashedError,
    TranscriberStalledError,
    TranscriberUnavailableError,
    TranscriptionTooCostlyError,
)
from domain.model.transcripts import Transcript
from tests.contracts.transcriber_port import TranscriberPortContract
from tests.support.harness.service import eventually
from tests.support.samples.recordings import DEMO, record, silence, speech

pytestmark = pytest.mark.process

LIMITS = WorkerLimits(max_audio_seconds=3600.0, stall_seconds=60.0)
READY = Ready().to_line().decode().strip()
ADVANCED = Advanced(done_seconds=1.0, total_seconds=9.0).to_line().decode().strip()


@contextlib.asynccontextmanager
async def pool(
    engine: str = "canned",
    *,
    workers: int = 1,
    waiting_room: int = 1,
    limits: WorkerLimits = LIMITS,
    python: Path | str = sys.executable,
) -> AsyncIterator[WorkerPoolTranscriber]:
    processes = [WorkerProcess(engine, limits, python=str(python)) for _ in range(workers)]
    async with running(WorkerPoolTranscriber(processes, waiting_room=waiting_room)) as transcriber:
        yield transcriber


@contextlib.asynccontextmanager
async def running(transcriber: WorkerPoolTranscriber) -> AsyncIterator[WorkerPoolTranscriber]:
    await transcriber.start()
    try:
        yield transcriber
    finally:
        await transcriber.stop()


class Recordings:
    """Recordings for the contract suite."""

    @pytest.fixture
    def spoken(self) -> Path:
        return DEMO

    @pytest.fixture
    def silent(self, tmp_path: Path) -> Path:
        return three_silent_seconds(tmp_path)


def three_silent_seconds(folder: Path) -> Path:
    return record(folder / "silence.wav", silence(3.0))


@pytest.fixture(scope="session")
def long_speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a minute of speech, for which the engine needs about ten seconds and reports progress."""
    return record(tmp_path_factory.mktemp("long") / "long.wav", np.tile(speech(), 6))


class TestPocketsphinxInWorkers(Recordings, TranscriberPortContract):
    @pytest.fixture
    async def transcriber(self) -> AsyncIterator[WorkerPoolTranscriber]:
        async with pool("pocketsphinx") as transcriber:
            yield transcriber


class TestCannedInWorkers(Recordings, TranscriberPortContract):
    @pytest.fixture
    async def transcriber(self) -> AsyncIterator[WorkerPoolTranscriber]:
        async with pool("canned") as transcriber:
            yield transcriber


async def at_work(transcriber: WorkerPoolTranscriber, recording: Path) -> "asyncio.Task[Transcript]":
    """Start transcribing a recording, and wait for its first progress."""
    begun = asyncio.Event()
    task = asyncio.ensure_future(transcriber.transcribe(recording, on_progress=lambda _: begun.set()))
    await asyncio.wait({task, asyncio.ensure_future(begun.wait())}, return_when=asyncio.FIRST_COMPLETED)
    return task


async def test_the_first_process_is_made_before_start_returns_and_each_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self.pid)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    async with pool(workers=2) as transcriber:
        before_the_loop_went_on = len(made)
        await transcriber.start()
        await eventually(lambda: len(transcriber.worker_pids()) == 2)

        assert before_the_loop_went_on == 1
        assert set(transcriber.worker_pids()) == set(made)
        assert len(made) == 2


class SlowWorker(WorkerProcess):
    """Never becomes ready."""

    async def start(self) -> None:
        await asyncio.Event().wait()


class FailingWorker(WorkerProcess):
    """Cannot be started."""

    async def start(self) -> None:
        raise TranscriberUnavailableError("no memory")


async def test_the_worker_that_is_ready_first_gets_the_first_recording(tmp_path: Path) -> None:
    workers = [WorkerProcess("canned", LIMITS), SlowWorker("canned", LIMITS)]
    async with running(WorkerPoolTranscriber(workers, waiting_room=1)) as transcriber:
        await transcriber.transcribe(three_silent_seconds(tmp_path))


async def test_the_other_workers_start_even_if_the_first_cannot() -> None:
    workers = [FailingWorker("canned", LIMITS), *(WorkerProcess("canned", LIMITS) for _ in range(2))]
    async with running(WorkerPoolTranscriber(workers, waiting_room=1)) as transcriber:
        await eventually(lambda: transcriber.state().ready_slots == 2)


async def test_a_killed_worker_fails_its_own_recording_only_and_is_replaced(
    long_speech: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with pool("pocketsphinx", workers=2) as transcriber:
        await eventually(lambda: len(transcriber.worker_pids()) == 2)
        before = set(transcriber.worker_pids())
        victim = await at_work(transcriber, long_speech)
        bystander = await at_work(transcriber, DEMO)

        os.kill(await working_on(long_speech, before), signal.SIGKILL)

        with pytest.raises(TranscriberCrashedError, match="killed by SIGKILL"):
            await victim
        assert (await bystander).segments
        await eventually(lambda: len(transcriber.worker_pids()) == 2)
        assert set(transcriber.worker_pids()) != before
        assert (await transcriber.transcribe(DEMO)).segments
    assert "worker ended" in caplog.text


async def working_on(recording: Path, pids: set[int]) -> int:
    """Find the worker that has the recording open; it opens the file twice."""
    async with asyncio.timeout(60):
        while not (found := [pid for pid in pids if recording in open_files(pid)]):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    return found[0]


def open_files(pid: int) -> set[Path]:
    """List the open files of a process; one may be closed during the listing."""
    files = set()
    for component in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            files.add(component.readlink())
    return files


async def test_a_worker_without_a_sign_of_life_is_killed_and_replaced(tmp_path: Path) -> None:
    says = f"print({READY!r}, flush=True); input(); print({ADVANCED!r}, flush=True)"
    python = impostor(tmp_path, f"{says}; input()")
    limits = WorkerLimits(max_audio_seconds=3600, first_sign_seconds=1.9, stall_seconds=2.0)
    async with pool(limits=limits, python=python) as transcriber:
        await eventually(lambda: transcriber.state().ready_slots == 1)
        victim = await at_work(transcriber, DEMO)
        (pid,) = transcriber.worker_pids()

        os.kill(pid, signal.SIGSTOP)

        with pytest.raises(TranscriberStalledError, match="no progress for 2 s"):
            await victim
        assert not Path(f"/proc/{pid}").exists()
        await eventually(lambda: transcriber.state().ready_slots == 1)
        assert transcriber.worker_pids() != (pid,)


async def test_the_first_sign_of_life_must_come_soon(tmp_path: Path) -> None:
    python = impostor(tmp_path, f"print({READY!r}, flush=True); input(); input()")

    async with pool(limits=replace(LIMITS, first_sign_seconds=0.2), python=python) as transcriber:
        with pytest.raises(TranscriberStalledError, match=r"no progress for 0\.2 s"):
            await transcriber.transcribe(DEMO)


BUSY = "import time; until = time.process_time() + 1.5\nwhile time.process_time() < until: pass"


async def test_a_worker_that_works_without_a_sign_of_life_is_left_to_its_work(tmp_path: Path) -> None:
    transcript = Transcript(duration_seconds=1.0)
    done = Finished(transcript=transcript).to_line().decode().strip()
    python = impostor(tmp_path, f"print({READY!r}, flush=True); input(); {BUSY}\nprint({done!r}, flush=True)")

    async with pool(limits=replace(LIMITS, stall_seconds=0.5), python=python) as transcriber:
        assert await transcriber.transcribe(DEMO) == transcript


async def test_a_recording_that_takes_too_much_processor_time_is_refused_for_its_costs(
    tmp_path: Path,
) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 5))"
    python = impostor(tmp_path, f"print({READY!r}, flush=True); input(); {limit}; {BUSY}")

    async with pool(python=python) as transcriber:
        with pytest.raises(TranscriptionTooCostlyError, match="of processor time per second of sound"):
            await transcriber.transcribe(DEMO)
        await eventually(lambda: transcriber.state().ready_slots == 1)


async def test_cancelling_a_recording_kills_its_process(long_speech: Path) -> None:
    async with pool("pocketsphinx") as transcriber:
        task = await at_work(transcriber, long_speech)
        (pid,) = transcriber.worker_pids()

        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert not Path(f"/proc/{pid}").exists()
        await eventually(lambda: transcriber.state().ready_slots == 1)


async def test_a_worker_that_dies_while_idle_is_logged_and_replaced_unasked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with pool() as transcriber:
        await eventually(lambda: transcriber.state().ready_slots == 1)
        (pid,) = transcriber.worker_pids()

        os.kill(pid, signal.SIGKILL)

        await eventually(lambda: transcriber.worker_pids() not in {(), (pid,)})
    (line,) = [record for record in caplog.records if record.message == "worker ended"]
    assert line.__dict__["worker_pid"] == pid
    assert line.__dict__["error"] == "The transcriber's process died (killed by SIGKILL)."


async def test_a_recording_that_meets_a_dead_worker_gets_a_new_one(tmp_path: Path) -> None:
    async with pool() as transcriber:
        await eventually(lambda: transcriber.state().ready_slots == 1)
        os.kill(transcriber.worker_pids()[0], signal.SIGKILL)
        await eventually(lambda: transcriber.state().ready_slots == 0)

        transcript = await transcriber.transcribe(three_silent_seconds(tmp_path))

    assert transcript.duration_seconds == pytest.approx(3.0)


async def test_a_worker_whose_recording_is_at_fault_stays(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("no recording")
    async with pool() as transcriber:
        await eventually(lambda: transcriber.state().ready_slots == 1)
        before = transcriber.worker_pids()

        with pytest.raises(NotAudioError):
            await transcriber.transcribe(tmp_path / "letter")

        assert transcriber.worker_pids() == before


async def test_starts_that_fail_are_tried_again_less_and_less_often_until_one_succeeds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    python = tmp_path / "python"
    workers = [WorkerProcess("canned", LIMITS, python=str(python))]
    transcriber = WorkerPoolTranscriber(
        workers, waiting_room=1, restart_seconds=0.01, max_restart_seconds=0.05
    )

    async with running(transcriber):
        await eventually(lambda: len(_pauses(caplog)) > 4)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
        python.chmod(0o700)
        await eventually(lambda: transcriber.state().ready_slots == 1)

    assert _pauses(caplog)[:5] == [0.01, 0.02, 0.04, 0.05, 0.05]


def _pauses(caplog: pytest.LogCaptureFixture) -> list[float]:
    return [
        record.__dict__["next_try_seconds"]
        for record in caplog.records
        if record.message == "could not start a worker process, trying again"
    ]


async def test_nothing_starts_a_worker_after_the_end(long_speech: Path, tmp_path: Path) -> None:
    async with pool("pocketsphinx") as transcriber:
        victim = await at_work(transcriber, long_speech)
        waiting = asyncio.ensure_future(transcriber.transcribe(three_silent_seconds(tmp_path)))
        await eventually(lambda: transcriber.state().admitted == 2)
        (pid,) = transcriber.worker_pids()

    with pytest.raises(TranscriberCrashedError):
        await victim
    with pytest.raises(TranscriberUnavailableError, match="being stopped"):
        await waiting
    with pytest.raises(TranscriberUnavailableError, match="being stopped"):
        await transcriber.transcribe(three_silent_seconds(tmp_path))
    assert transcriber.worker_pids() == ()
    assert not Path(f"/proc/{pid}").exists()


async def test_a_worker_that_is_loading_at_the_end_is_ended_as_well(tmp_path: Path) -> None:
    transcriber = WorkerPoolTranscriber([WorkerProcess("canned", LIMITS)], waiting_room=0)
    work = asyncio.ensure_future(transcriber.transcribe(three_silent_seconds(tmp_path)))
    await eventually(lambda: transcriber.state().admitted == 1)

    await transcriber.stop()

    with pytest.raises(TranscriberUnavailableError, match="being stopped"):
        await work
    assert transcriber.worker_pids() == ()


async def test_the_event_loop_stays_free_while_recordings_are_worked_on(long_speech: Path) -> None:
    async with pool("pocketsphinx") as transcriber:
        task = await at_work(transcriber, long_speech)
        os.kill(transcriber.worker_pids()[0], signal.SIGSTOP)  # so that it is not done before
        ticks = 0
        while not task.done() and ticks < 50:
            await asyncio.sleep(0.01)
            ticks += 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert ticks == 50


async def test_an_engine_that_cannot_be_loaded_fails_each_recording_with_its_name_and_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with pool("no-such-engine") as transcriber:
        for _ in range(2):
            with pytest.raises(
                TranscriberUnavailableError, match=r"'no-such-engine'.*may be pocketsphinx or"
            ):
                await transcriber.transcribe(three_silent_seconds(tmp_path))
        assert transcriber.state().ready_slots == 0

    assert any("in load_engine" in record.__dict__.get("trace", "") for record in caplog.records)


async def test_a_worker_that_cannot_be_spawned_fails_the_recording_with_the_reason(tmp_path: Path) -> None:
    async with pool(python=tmp_path / "no-python") as transcriber:
        with pytest.raises(TranscriberUnavailableError, match="No such file or directory"):
            await transcriber.transcribe(three_silent_seconds(tmp_path))


async def test_a_worker_that_takes_too_long_to_load_fails_the_recording(tmp_path: Path) -> None:
    python = impostor(tmp_path, "import time; time.sleep(60)")

    async with pool(limits=replace(LIMITS, start_seconds=0.2), python=python) as transcriber:
        with pytest.raises(TranscriberUnavailableError, match=r"took longer than 0\.2 s"):
            await transcriber.transcribe(three_silent_seconds(tmp_path))


def impostor(folder: Path, program: str) -> Path:
    """Write an interpreter that runs `program` in place of a worker."""
    python = folder / "python"
    python.write_text(f"#!{sys.executable}\n{program}\n", encoding="utf-8")
    python.chmod(0o700)
    return python


@pytest.mark.parametrize(
    "says",
    [
        "print('hello')",
        'print(\'{"kind": "finished", "transcript": {"duration_seconds": -1}}\')',
        "print('x' * 70_000_000)",
        "import sys; sys.stdout.write('no end of line')",
    ],
)
async def test_an_invalid_message_of_a_worker_fails_the_recording(tmp_path: Path, says: str) -> None:
    python = impostor(tmp_path, f"print({READY!r}, flush=True); input(); {says}")

    async with pool(python=python) as transcriber:
        with pytest.raises(TranscriberCrashedError):
            await transcriber.transcribe(three_silent_seconds(tmp_path))


async def test_a_worker_cannot_name_an_error_that_is_not_its_own() -> None:
    error = Failed(error="ConfigurationError", message="PATH is wrong").to_error()

    assert isinstance(error, TranscriberCrashedError)


async def test_the_limit_on_length_reaches_the_worker(tmp_path: Path) -> None:
    recording = record(tmp_path / "long.wav", silence(12.0))

    async with pool(limits=replace(LIMITS, max_audio_seconds=10.0)) as transcriber:
        with pytest.raises(AudioTooLongError):
            await transcriber.transcribe(recording)


async def test_workers_have_no_credentials_no_network_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "opensesame")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:opensesame@db/events")

    async with pool() as transcriber:
        await eventually(lambda: transcriber.state().ready_slots == 1)
        proc = Path("/proc") / str(transcriber.worker_pids()[0])
        environment = (proc / "environ").read_bytes()
        limits = (proc / "limits").read_text(encoding="ascii")
        status = (proc / "status").read_text(encoding="ascii")
        network = (proc / "ns" / "net").readlink()

    assert b"opensesame" not in environment
    assert b"HOME=" not in environment
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    for limit in ("Max core file size", "Max file size"):
        (line,) = [line for line in limits.splitlines() if line.startswith(limit)]
        assert line.split()[-3:-1] == ["0", "0"]
    assert "Max address space         1073741824           1073741824" in limits
    assert "Max cpu time              unlimited            unlimited" in limits  # set with each recording
    if os.geteuid() == 0:
        assert network != Path("/proc/self/ns/net").readlink()


async def test_the_processor_time_of_a_recording_grows_with_its_sound(tmp_path: Path) -> None:
    async with pool(limits=replace(LIMITS, max_audio_seconds=100.0)) as transcriber:
        soft, hard = [], []
        for seconds in (3.0, 30.0):
            await transcriber.transcribe(record(tmp_path / "silence.wav", silence(seconds)))
            limits = Path(f"/proc/{transcriber.worker_pids()[0]}/limits").read_text(encoding="ascii")
            (line,) = [line for line in limits.splitlines() if line.startswith("Max cpu time")]
            soft.append(int(line.split()[3]))
            hard.append(int(line.split()[4]))

    assert 27 < soft[1] - soft[0] < 27 * 20
    assert soft[1] < hard[0] == hard[1]  # the worker cannot raise the second limit


async def test_a_worker_that_used_up_its_processor_time_is_replaced_between_recordings(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with pool(limits=replace(LIMITS, cpu_seconds=0.0)) as transcriber:
        first = await transcriber.transcribe(three_silent_seconds(tmp_path))
        (pid,) = transcriber.worker_pids()
        assert 0 < sandbox.cpu_seconds_used(pid) < 20

        assert await transcriber.transcribe(three_silent_seconds(tmp_path)) == first

        assert transcriber.worker_pids() != (pid,)
    assert {record.levelname for record in caplog.records if record.message == "worker retired"} == {"INFO"}
    assert "worker ended" not in caplog.text


async def test_workers_die_with_the_service(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from adapters.speech.workers.pool import WorkerPoolTranscriber\n"
        "from adapters.speech.workers.process import WorkerLimits, WorkerProcess\n"
        "async def main():\n"
        "    limits = WorkerLimits(max_audio_seconds=9, stall_seconds=9)\n"
        "    workers = [WorkerProcess('canned', limits) for _ in range(2)]\n"
        "    t = WorkerPoolTranscriber(workers, waiting_room=0)\n"
        "    await t.start()\n"
        "    while len(t.worker_pids()) < 2: await asyncio.sleep(0.01)\n"
        "    print(*t.worker_pids(), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=tmp_path
    )
    assert service.stdout is not None
    pids = [int(pid) for pid in (await service.stdout.readline()).split()]
    assert len(pids) == 2

    service.kill()
    await service.wait()

    await eventually(lambda: not any(_is_running(pid) for pid in pids))


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_what_a_defect_in_the_engine_raises_is_logged_with_its_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    failed = Failed(error="TranscriberCrashedError", message="failed with ZeroDivisionError", trace="Trace")
    line = failed.to_line().decode().strip()
    python = impostor(tmp_path, f"print({READY!r}, flush=True); input(); print({line!r}, flush=True)")

    async with pool(python=python) as transcriber:
        with pytest.raises(TranscriberCrashedError, match="ZeroDivisionError"):
            await transcriber.transcribe(DEMO)

    assert any(record.__dict__.get("trace") == "Trace" for record in caplog.records)


async def test_retry_after_follows_from_the_progress_of_the_recordings_at_work(tmp_path: Path) -> None:
    advanced = Advanced(done_seconds=60.0, total_seconds=600.0).to_line().decode().strip()
    program = f"print({READY!r}, flush=True); input(); print({advanced!r}, flush=True); input()"
    worker = WorkerProcess("canned", LIMITS, python=str(impostor(tmp_path, program)))
    now = [0.0]
    transcriber = WorkerPoolTranscriber([worker], waiting_room=0, clock=lambda: now[0])
    async with running(transcriber):
        task = await at_work(transcriber, DEMO)
        now[0] = 10.0  # for a tenth of the recording
        with pytest.raises(TranscriberBusyError) as busy:
            transcriber.check_capacity()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert busy.value.retry_after_seconds == 90


AN_ENGINE_THAT_LOADS_AND_FAILS = """
import sys
from adapters.speech.engines.canned import CannedEngine
from adapters.speech.workers import main
CannedEngine.transcribe = lambda *_: 1 / 0
sys.argv = ["worker", "canned"]
main.main()
"""


async def test_a_worker_that_cannot_transcribe_the_built_in_half_second_is_never_ready(
    tmp_path: Path,
) -> None:
    async with pool(python=impostor(tmp_path, AN_ENGINE_THAT_LOADS_AND_FAILS)) as transcriber:
        await eventually(lambda: transcriber.state().problem)

        with pytest.raises(TranscriberUnavailableError, match="ZeroDivisionError"):
            await transcriber.transcribe(DEMO)
        assert transcriber.state().ready_slots == 0
        assert "ZeroDivisionError" in str(transcriber.state().problem)


async def test_a_problem_with_the_start_is_forgotten_once_a_worker_is_ready(tmp_path: Path) -> None:
    python = tmp_path / "python"
    worker = WorkerProcess("canned", LIMITS, python=str(python))
    async with running(WorkerPoolTranscriber([worker], waiting_room=0, restart_seconds=0.01)) as transcriber:
        await eventually(lambda: transcriber.state().problem)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
        python.chmod(0o700)
        await eventually(lambda: transcriber.state().ready_slots == 1)

        assert transcriber.state().problem is None
