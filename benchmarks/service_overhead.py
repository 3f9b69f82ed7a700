"""What the service adds around the engine, with LocalStack as the bus.

In turn, A B A B …: the engine called directly (decode, transcribe, clean), and the same recording through
`POST /batch/process`. Prints both medians and the ratio, pair by pair.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import urllib3

from adapters.cleaning.rules import RulesCleaner
from adapters.speech.engines import load_engine
from adapters.speech.limits import DecodingLimits
from benchmarks.servers import Service, service
from tests.integration import localstack
from tests.recordings import SAMPLE_RATE, record, speech


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=60.0, help="length of the recording")
    arguments.add_argument("--pairs", type=int, default=3)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = np.resize(speech(), int(options.seconds * SAMPLE_RATE))
        recording = record(Path(folder) / "speech.wav", samples)
        bus = localstack.start(Path(folder))
        try:
            environ = {
                "AWS_ENDPOINT_URL": bus.url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "EVENT_TRANSPORT": "eventbridge",
                "TRANSCRIBER_WORKERS": "1",
            }
            subprocess.run(
                [Path(sys.executable).with_name("transcripts"), "provision"],
                env={**os.environ, **environ, "LOG_LEVEL": "ERROR"},
                stdout=subprocess.DEVNULL,
                check=True,
            )
            with service(environ) as running:
                _compare(running, recording, options.pairs)
        finally:
            localstack.stop(bus)


def _compare(running: Service, recording: Path, pairs: int) -> None:
    engine, cleaner = load_engine("pocketsphinx"), RulesCleaner()
    direct, served = [], []
    for _ in range(pairs):
        began = time.perf_counter()
        cleaner.clean(engine.transcribe(recording, DecodingLimits(), lambda _: None))
        direct.append(time.perf_counter() - began)
        served.append(_upload(running, recording))
    ratios = [ours / bare for ours, bare in zip(served, direct, strict=True)]
    spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
    print(f"engine called directly   {statistics.median(direct):8.3f} s (median of {pairs})")
    print(f"POST /batch/process      {statistics.median(served):8.3f} s")
    print(f"ratio, pair by pair      {statistics.median(ratios):8.3f}   ({spread})")


def _upload(running: Service, recording: Path) -> float:
    fields = {"file": (recording.name, recording.read_bytes())}
    began = time.perf_counter()
    answer = urllib3.request("POST", f"{running.url}/batch/process", fields=fields, timeout=600)
    seconds = time.perf_counter() - began
    assert answer.status == 200, answer.data  # noqa: S101, PLR2004 - a benchmark of failures is worth nothing
    assert answer.json()["event"]["status"] == "published", answer.data  # noqa: S101
    return seconds


if __name__ == "__main__":
    main()
