"""Sandbox of the workers as the service starts them: rights, limits, and processor time."""

import os
from pathlib import Path

import pytest

from adapters.speech.workers.program import Program
from adapters.speech.workers.readers import WorkerSpeechSource
from adapters.speech.workers.recognisers import WorkerRecogniser
from ports.recogniser_port import Hints
from tests.contracts.speech_source_port import read_to_end
from tests.support.doubles.speech import unit_of
from tests.support.harness.service import eventually
from tests.support.harness.workers import ALL_IS_SPEECH, CANNED, READER, processes, supervised, whisper
from tests.support.samples.recordings import record, silence

pytestmark = pytest.mark.process


@pytest.mark.parametrize("program", [READER, CANNED], ids=lambda program: program.name)
async def test_workers_have_no_credentials_no_network_and_limits(
    monkeypatch: pytest.MonkeyPatch, program: Program
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "opensesame")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:opensesame@db/events")

    async with supervised(processes(program)) as workers:
        await eventually(workers.pids)
        proc = Path("/proc") / str(workers.pids()[0])
        environment = (proc / "environ").read_bytes()
        limits = (proc / "limits").read_text(encoding="ascii")
        status = (proc / "status").read_text(encoding="ascii")
        network = (proc / "ns" / "net").readlink()

    assert b"opensesame" not in environment
    assert b"HOME=" not in environment
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    for limit in ("Max core file size", "Max file size"):
        assert _limit(limits, limit) == ("0", "0")
    assert _limit(limits, "Max address space") == (str(program.address_space_bytes()),) * 2
    assert _limit(limits, "Max cpu time") == ("unlimited", "unlimited")  # set with each job
    if os.geteuid() == 0:
        assert network != Path("/proc/self/ns/net").readlink()


async def test_the_processor_time_of_a_reader_grows_with_the_sound(tmp_path: Path) -> None:
    async with supervised(processes(ALL_IS_SPEECH)) as workers:
        source = WorkerSpeechSource(workers, max_audio_seconds=100.0)
        soft, hard = [], []
        for seconds in (3.0, 30.0):
            await read_to_end(source, record(tmp_path / "silence.wav", silence(seconds)))
            limits = Path(f"/proc/{workers.pids()[0]}/limits").read_text(encoding="ascii")
            granted = _limit(limits, "Max cpu time")
            soft.append(int(granted[0]))
            hard.append(int(granted[1]))

    assert 27 < soft[1] - soft[0] < 27 * 20
    assert soft[1] < hard[0] == hard[1]  # the worker cannot raise the second limit


async def test_a_recogniser_gets_processor_time_for_each_unit() -> None:
    async with supervised(processes()) as workers:
        recogniser = WorkerRecogniser(workers)
        granted = []
        for seconds in (1, 28):
            await recogniser.recognise(unit_of(seconds=seconds), Hints(), recording="one")
            limits = Path(f"/proc/{workers.pids()[0]}/limits").read_text(encoding="ascii")
            granted.append([int(each) for each in _limit(limits, "Max cpu time")])

    assert granted[0][0] <= granted[1][0] <= granted[0][0] + 2  # a whole unit's, from where it begins
    assert all(soft < hard for soft, hard in granted)


def test_the_address_space_grows_with_the_model_and_a_gpu_has_no_limit() -> None:
    model = whisper()
    assert model.engine is not None
    on_gpu = Program(engine=model.engine.model_copy(update={"device": "cuda"}))

    assert CANNED.address_space_bytes() == READER.address_space_bytes()
    assert (model.address_space_bytes() or 0) > (CANNED.address_space_bytes() or 0) + 75_000_000
    assert on_gpu.address_space_bytes() is None


def _limit(limits: str, name: str) -> tuple[str, ...]:
    (line,) = [line for line in limits.splitlines() if line.startswith(name)]
    return tuple(line.removeprefix(name).split()[:2])
