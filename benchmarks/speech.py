"""One hour of speech, beside faster-whisper alone: time, processor time and memory of all processes."""

import asyncio
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from faster_whisper import decode_audio

from benchmarks.local_speech import whisper_alone, whisper_in_batches
from benchmarks.report import Report, Table, Target
from bootstrap.factories.transcriber import transcriber_for
from bootstrap.settings import Settings
from tests.support.samples.recordings import DEMO, ENCODINGS, record

HOUR, TEN_MINUTES = 3600, 600
CORES = os.cpu_count() or 1


class Cost(NamedTuple):
    """Cost of one recording."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int  # proportional set sizes of all processes, the largest sum that was seen


def measure() -> Report:
    """Transcribe an hour with each contestant, and ten minutes with ours, each in a new process."""
    with tempfile.TemporaryDirectory() as name:
        hour, ten_minutes = (_speech(Path(name), seconds) for seconds in (HOUR, TEN_MINUTES))
        short = _cost(_ours, ten_minutes)
        costs = {
            f"ours, {CORES} workers": _cost(_ours, hour),
            f"faster-whisper, called once, {CORES} threads": _cost(_alone, hour),
            f"faster-whisper in batches of 8, {CORES} threads": _cost(_batched, hour),
        }
    ours, alone, batched = costs.values()
    rows = [_row(name, HOUR, cost, alone) for name, cost in costs.items()]
    rows.append(_row("ours", TEN_MINUTES, short, alone))
    header = (
        "contestant",
        "seconds of sound",
        "seconds",
        "times as fast",
        "CPU for a second of sound",
        "peak, MiB",
    )
    return Report(
        notes=("Loading the model included; the recording is the demo's sentences over and over, as FLAC.",),
        tables=(Table(header, tuple(rows)),),
        targets=(
            Target("speed of ours, of one call", alone.seconds / ours.seconds, at_least=1.5),
            Target("speed of ours, of batches", batched.seconds / ours.seconds, at_least=1.0),
            Target(
                "peak memory of an hour, of ten minutes", ours.peak_bytes / short.peak_bytes, at_most=1.15
            ),
        ),
    )


def _speech(folder: Path, seconds: int) -> Path:
    spoken = (decode_audio(str(DEMO)) * 32_767).astype(np.int16)
    return record(folder / f"{seconds}.flac", np.resize(spoken, seconds * 16_000), ENCODINGS["flac"])


def _row(name: str, seconds: int, cost: Cost, alone: Cost) -> tuple[str, ...]:
    faster = f"{alone.seconds / cost.seconds:.2f}" if seconds == HOUR else ""
    cpu = f"{cost.cpu_seconds / seconds:.3f}"
    return (name, f"{seconds:,}", f"{cost.seconds:.0f}", faster, cpu, f"{cost.peak_bytes / 2**20:.0f}")


def _cost(work: Callable[[Path], None], recording: Path) -> Cost:
    """Do the work in a new process; measure it with all its children."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=(recording,))
    began = time.monotonic()
    before = os.times()
    process.start()
    watch = _Watch(process.pid or 0)
    process.join()
    seconds = time.monotonic() - began
    after = os.times()
    assert process.exitcode == 0, "the contestant failed"  # noqa: S101 - a failed run has no figures
    used = (after.children_user + after.children_system) - (before.children_user + before.children_system)
    return Cost(seconds, used, watch.stop())


def _ours(recording: Path) -> None:
    async def transcribe() -> None:
        transcriber = transcriber_for(Settings.from_env({"TRANSCRIBER_WORKERS": str(CORES)}))
        await transcriber.start()
        try:
            await transcriber.transcribe(recording)
        finally:
            await transcriber.stop()

    asyncio.run(transcribe())


def _alone(recording: Path) -> None:
    whisper_alone(CORES)(recording)


def _batched(recording: Path) -> None:
    whisper_in_batches(CORES)(recording)


class _Watch:
    """Adds up the memory of a process and its descendants, five times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> int:
        """Return the largest sum."""
        self._ended.set()
        self._thread.join()
        return self._peak

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            self._peak = max(self._peak, sum(map(_memory, _tree(self._pid))))


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(descendant for child in children for descendant in _tree(int(child)))]


def _memory(pid: int) -> int:
    """Return the proportional set size in bytes; 0 of a process that ended, or that hides it from us."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
