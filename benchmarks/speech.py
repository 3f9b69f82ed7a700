"""Time of the engines for a second of sound: for growing recordings, and on one core and two."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.loading import load_engine
from benchmarks.harness import growth, in_turn
from benchmarks.report import Line, Plot, Report, Table, Target, compared
from tests.support.samples.recordings import ENCODINGS, SAMPLE_RATE, record, speech

LENGTHS: Mapping[str, Sequence[int]] = {"pocketsphinx": (10, 60, 240), "canned": (10, 60, 240, 3600)}
"""Lengths in seconds. Recognising an hour takes too long for a run; `canned` only decodes it."""
ON_CORES_SECONDS, ROUNDS = 20, 2
ONE_CORE, TWO_CORES = "two recordings on one core", "two recordings on two cores"


def measure() -> Report:
    """Run growing recordings through each engine, then two at a time."""
    with tempfile.TemporaryDirectory() as name:
        longest = max(LENGTHS.values(), key=len)
        recordings = {seconds: _recording(Path(name), seconds) for seconds in longest}
        took = {
            engine: [_took(engine, recordings[each]) for each in lengths]
            for engine, lengths in LENGTHS.items()
        }
        cores = _on_cores(_recording(Path(name), ON_CORES_SECONDS))
    return Report(
        notes=("Speech over and over, as FLAC; the engine's model is loaded before the clock starts.",),
        tables=(_growing(took), cores),
        targets=tuple(_growth_of(engine, seconds) for engine, seconds in took.items()),
        plots=(_plot(took),),
    )


def _recording(folder: Path, seconds: int) -> Path:
    samples = np.resize(speech(), seconds * SAMPLE_RATE)
    return record(folder / f"{seconds}.flac", samples, ENCODINGS["flac"])


def _took(engine: str, recording: Path) -> float:
    loaded = load_engine(engine)
    begun = time.perf_counter()
    loaded.transcribe(recording, DecodingLimits(), lambda _: None)
    return time.perf_counter() - begun


def _on_cores(recording: Path) -> Table:
    spawn = get_context("spawn")  # a fork would copy the state of this process's threads
    with ProcessPoolExecutor(1, spawn) as one, ProcessPoolExecutor(2, spawn) as two:

        def rate(processes: ProcessPoolExecutor, count: int) -> float:
            took = processes.map(_took, ["pocketsphinx"] * 2, [recording] * 2)
            return 2 * ON_CORES_SECONDS / (sum(took) / count)

        contestants = {ONE_CORE: partial(rate, one, 1), TWO_CORES: partial(rate, two, 2)}
        figures = in_turn(contestants, ROUNDS)
    return compared(figures, "seconds of sound a second", beside=ONE_CORE, digits=2)


def _growing(took: Mapping[str, Sequence[float]]) -> Table:
    rows = (
        (engine, f"{length:,}", f"{seconds:.2f}", f"{seconds / length:.4f}")
        for engine, all_seconds in took.items()
        for length, seconds in zip(LENGTHS[engine], all_seconds, strict=True)
    )
    return Table(("engine, called directly", "seconds of sound", "seconds", "real-time factor"), tuple(rows))


def _growth_of(engine: str, seconds: Sequence[float]) -> Target:
    lengths = LENGTHS[engine]
    what = f"exponent of {engine}'s growth, from {lengths[-2]:,} to {lengths[-1]:,} s"
    return Target(what, growth(lengths, seconds), at_most=1.1)


def _plot(took: Mapping[str, Sequence[float]]) -> Plot:
    lines = tuple(Line(engine, LENGTHS[engine], seconds) for engine, seconds in took.items())
    return Plot("speech.svg", "seconds of sound", "seconds until the transcript", lines, logarithmic=True)
