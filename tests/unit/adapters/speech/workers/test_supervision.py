"""Supervision of worker processes: their start, their restart, and their end."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.speech.workers import sandbox
from adapters.speech.workers.process import EndReason, WorkerProcess
from adapters.speech.workers.recognisers import WorkerRecogniser
from adapters.speech.workers.supervision import SupervisedWorkers
from domain.model.errors import TranscriberCrashedError, TranscriberUnavailableError
from domain.model.speech import HeardUnit
from ports.recogniser_port import Hints
from tests.support.doubles.speech import unit_of
from tests.support.harness.service import eventually
from tests.support.harness.workers import CANNED, LIMITS, impostor, processes, supervised

pytestmark = pytest.mark.process


async def recognised(workers: SupervisedWorkers) -> HeardUnit:
    return await WorkerRecogniser(workers).recognise(unit_of(), Hints(), recording="one")


class SlowWorker(WorkerProcess):
    """Never becomes ready."""

    async def start(self) -> None:
        await asyncio.Event().wait()


class FailingWorker(WorkerProcess):
    """Cannot be started."""

    async def start(self) -> None:
        raise TranscriberUnavailableError("no memory")


async def test_the_first_process_is_made_before_start_returns_and_each_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self.pid)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    async with supervised(processes(count=2)) as workers:
        before_the_loop_went_on = len(made)
        await workers.start()
        await eventually(lambda: len(workers.pids()) == 2)

        assert before_the_loop_went_on == 1
        assert set(workers.pids()) == set(made)
        assert len(made) == 2


async def test_the_worker_that_is_ready_first_gets_all_work_until_others_are(tmp_path: Path) -> None:
    quick = WorkerProcess(
        CANNED, LIMITS, python=str(impostor(tmp_path, "say(READY)\nwhile 1: take(); say(ANSWER)"))
    )
    async with supervised([quick, SlowWorker(CANNED, LIMITS)]) as workers:
        recogniser = WorkerRecogniser(workers)
        units = (recogniser.recognise(unit_of(), Hints(), recording="one") for _ in range(3))

        assert len(await asyncio.gather(*units)) == 3


async def test_the_other_workers_start_and_work_even_if_the_first_cannot() -> None:
    async with supervised([FailingWorker(CANNED, LIMITS), *processes(count=2)]) as workers:
        await eventually(lambda: workers.slots().ready == 2)
        recogniser = WorkerRecogniser(workers)
        units = (recogniser.recognise(unit_of(), Hints(), recording="one") for _ in range(6))

        assert len(await asyncio.gather(*units)) == 6


async def test_a_worker_that_dies_while_idle_is_logged_and_replaced_unasked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with supervised(processes()) as workers:
        await eventually(workers.pids)
        (pid,) = workers.pids()

        os.kill(pid, signal.SIGKILL)

        await eventually(lambda: workers.pids() not in {(), (pid,)})
        assert workers.ends() == {EndReason.CRASHED: 1}
    (line,) = [record for record in caplog.records if record.message == "worker ended"]
    assert line.__dict__["worker_pid"] == pid
    assert line.__dict__["error"] == "The transcriber's process died (killed by SIGKILL)."


async def test_a_unit_that_meets_a_dead_worker_gets_a_new_one() -> None:
    async with supervised(processes()) as workers:
        await eventually(workers.pids)
        os.kill(workers.pids()[0], signal.SIGKILL)
        await eventually(lambda: workers.slots().ready == 0)

        assert (await recognised(workers)).text


async def test_starts_that_fail_are_tried_again_less_and_less_often_until_one_succeeds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    python = tmp_path / "python"

    async with supervised(
        processes(python=python), restart_seconds=0.01, max_restart_seconds=0.05
    ) as workers:
        await eventually(lambda: len(_pauses(caplog)) > 4)
        assert "No such file or directory" in str(workers.slots().problem)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
        python.chmod(0o700)
        await eventually(lambda: workers.slots().ready == 1)

        assert workers.slots().problem is None
    assert _pauses(caplog)[:5] == [0.01, 0.02, 0.04, 0.05, 0.05]


def _pauses(caplog: pytest.LogCaptureFixture) -> list[float]:
    return [
        record.__dict__["next_try_seconds"]
        for record in caplog.records
        if record.message == "could not start a worker process, trying again"
    ]


async def test_a_worker_that_used_up_its_processor_time_is_replaced_between_units(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with supervised(processes(limits=replace(LIMITS, cpu_seconds=0.0))) as workers:
        first = await recognised(workers)
        (pid,) = workers.pids()
        assert 0 < sandbox.cpu_seconds_used(pid) < 20

        assert await recognised(workers) == first

        assert workers.pids() != (pid,)
        assert workers.ends() == {EndReason.RETIRED: 1}
    assert {record.levelname for record in caplog.records if record.message == "worker retired"} == {"INFO"}
    assert "worker ended" not in caplog.text


async def test_nothing_starts_a_worker_after_the_end(tmp_path: Path) -> None:
    async with supervised(processes(python=impostor(tmp_path, "say(READY); take(); wait()"))) as workers:
        await eventually(workers.pids)
        victim = asyncio.ensure_future(recognised(workers))
        waiting = asyncio.ensure_future(recognised(workers))
        await asyncio.sleep(0)
        (pid,) = workers.pids()

    with pytest.raises(TranscriberCrashedError):
        await victim
    with pytest.raises(TranscriberUnavailableError, match="being stopped"):
        await waiting
    with pytest.raises(TranscriberUnavailableError, match="being stopped"):
        await recognised(workers)
    assert workers.pids() == ()
    assert not Path(f"/proc/{pid}").exists()


async def test_a_worker_that_is_loading_at_the_end_is_ended_as_well() -> None:
    workers = SupervisedWorkers(processes())
    work = asyncio.ensure_future(recognised(workers))
    await asyncio.sleep(0)

    await workers.stop()

    with pytest.raises(TranscriberUnavailableError, match="being stopped"):
        await work
    assert workers.pids() == ()


PROGRAM = """
import asyncio, sys
from adapters.speech.workers.supervision import SupervisedWorkers
from tests.support.harness.workers import processes
async def main():
    workers = SupervisedWorkers(processes(count=2))
    await workers.start()
    while len(workers.pids()) < 2: await asyncio.sleep(0.01)
    print(*workers.pids(), flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_workers_die_with_the_service() -> None:
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[5]
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
