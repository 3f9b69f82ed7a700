"""Overhead of the service: the same recording through the engine itself, and over HTTP."""

import tempfile
import time
from pathlib import Path

import numpy as np
import urllib3

from adapters.cleaning.rules import RulesCleaner
from benchmarks.fast_bus import fast_bus
from benchmarks.harness import in_turn
from benchmarks.local_speech import LocalSpeech
from benchmarks.report import Report, compared
from benchmarks.servers import CREDENTIALS, Service, service
from tests.support.samples.recordings import SAMPLE_RATE, record, speech

AUDIO_SECONDS = 20
LATENCY_SECONDS = 0.02
ROUNDS = 3
DIRECT, SERVED = "engine called directly", "`POST /batch/process`"


def measure() -> Report:
    """Decode, transcribe and clean, in this process and in the service, in turn."""
    engine, cleaner = LocalSpeech(), RulesCleaner()
    with tempfile.TemporaryDirectory() as folder, fast_bus(LATENCY_SECONDS) as bus:
        recording = record(Path(folder) / "a.wav", np.resize(speech(), AUDIO_SECONDS * SAMPLE_RATE))

        def direct() -> float:
            began = time.perf_counter()
            cleaner.readable_text(engine.transcribe(recording))
            return time.perf_counter() - began

        with service({**CREDENTIALS, "AWS_ENDPOINT_URL": bus, "TRANSCRIBER_WORKERS": "1"}) as running:
            figures = in_turn({DIRECT: direct, SERVED: lambda: _upload(running, recording)}, ROUNDS)
    note = f"Seconds for {AUDIO_SECONDS} s of speech, median of {ROUNDS} rounds (lowest to highest), in turn."
    return Report(
        notes=(note,),
        tables=(compared(figures, "seconds", beside=DIRECT, digits=2),),
    )


def _upload(running: Service, recording: Path) -> float:
    fields = {"file": (recording.name, recording.read_bytes())}
    began = time.perf_counter()
    answer = urllib3.request("POST", f"{running.url}/batch/process", fields=fields, timeout=600)
    seconds = time.perf_counter() - began
    assert answer.json()["event"]["status"] == "published", answer.data  # noqa: S101 - a failed run has no figures
    return seconds
