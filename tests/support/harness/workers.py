"""Worker processes for tests: real ones, and impostors that misbehave as a test wants."""

import contextlib
import functools
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from adapters.speech.engines.loading import EngineSettings
from adapters.speech.engines.models import find_model
from adapters.speech.workers.process import WorkerLimits, WorkerProcess
from adapters.speech.workers.program import Program
from adapters.speech.workers.protocol import Ready, Recognised
from adapters.speech.workers.readers import WorkerSpeechSource
from adapters.speech.workers.recognisers import WorkerRecogniser
from adapters.speech.workers.supervision import SupervisedWorkers
from domain.model.engines import EngineDescription
from tests.support.doubles.speech import heard

LIMITS = WorkerLimits(stall_seconds=60.0)
CANNED = Program(engine=EngineSettings(name="canned"), threshold=None)
ALL_IS_SPEECH = Program(threshold=None)
"""Reader for which all sound is speech; it needs no model."""
READER = Program()

READY = Ready(engine=EngineDescription(name="impostor", model="none")).to_line().decode().strip()
ANSWER = Recognised(heard=heard("hello from an impostor")).to_line().decode().strip()

TURN_SECONDS = 4.0
"""Limit for a worker that gives a sign of life in time, also on a machine that is busy."""
BUSY = f"busy({TURN_SECONDS + 1})"
"""Statement of an impostor that uses processor time, without a sign of life, for longer than one turn."""

_PRELUDE = f"""#!{sys.executable}
import json, os, signal, sys, time
READY, ANSWER = {READY!r}, {ANSWER!r}

def say(line):
    print(line, flush=True)

def take():
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit()
    return sys.stdin.buffer.read(json.loads(line).get("size", 0))

def wait():
    sys.stdin.buffer.read()

def busy(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        work(0.1)
        time.sleep(0.3)

def work(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass

def count(name):
    with open(sys.argv[0] + "." + name, "a") as counter:
        counter.write("x")
        return counter.tell()

def hear(samples):
    seconds = len(samples) / 32000
    text = " ".join("word%d" % number for number in range(int(2 * seconds)))
    segments = [{{"start": 0, "end": seconds, "text": text}}] if text else []
    return json.dumps({{"kind": "recognised", "heard": {{"segments": segments}}}})

"""


@functools.cache
def whisper() -> Program:
    """Describe the recogniser of the service's default model."""
    model = find_model("tiny.en")
    assert model is not None
    engine = EngineSettings(name="faster-whisper", model=model.name, folder=model.folder, compute_type="int8")
    return Program(engine=engine)


def impostor(folder: Path, program: str) -> Path:
    """Write an interpreter that runs `program` in place of a worker.

    The program may `say` a line, such as READY and ANSWER, `take` the samples of a job, `hear` words that
    fit them, `wait` for the end of the service, `work` for some seconds of processor time, be `busy` for
    some seconds and now and then asleep, and `count` the calls with a name, by all processes of this
    impostor, in the file `python.NAME` beside it.
    """
    folder.mkdir(exist_ok=True)
    python = folder / "python"
    python.write_text(f"{_PRELUDE}{program}\n", encoding="utf-8")
    python.chmod(0o700)
    return python


def processes(
    program: Program = CANNED,
    count: int = 1,
    *,
    limits: WorkerLimits = LIMITS,
    python: Path | str = sys.executable,
) -> list[WorkerProcess]:
    return [WorkerProcess(program, limits, python=str(python)) for _ in range(count)]


@contextlib.asynccontextmanager
async def supervised(
    workers: Sequence[WorkerProcess], *, restart_seconds: float = 1.0, max_restart_seconds: float = 60.0
) -> AsyncIterator[SupervisedWorkers]:
    """Run worker processes while the context lasts."""
    supervised = SupervisedWorkers(
        workers, restart_seconds=restart_seconds, max_restart_seconds=max_restart_seconds
    )
    await supervised.start()
    try:
        yield supervised
    finally:
        await supervised.stop()


@contextlib.asynccontextmanager
async def recognising(workers: Sequence[WorkerProcess]) -> AsyncIterator[WorkerRecogniser]:
    """Run a recogniser in worker processes."""
    async with supervised(workers) as running:
        yield WorkerRecogniser(running)


@contextlib.asynccontextmanager
async def reading(
    workers: Sequence[WorkerProcess], *, max_audio_seconds: float = 3600.0
) -> AsyncIterator[WorkerSpeechSource]:
    """Run a source of speech in worker processes."""
    async with supervised(workers) as running:
        yield WorkerSpeechSource(running, max_audio_seconds=max_audio_seconds)
