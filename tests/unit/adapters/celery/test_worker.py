"""Worker of Celery: it looks for jobs once signals stop it in the ordinary way, also without a broker."""

import subprocess
import sys

import pytest

from tests.support.faults.servers import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.process]

WORKER = """
import signal

from adapters.celery.app import Broker
from adapters.celery.worker import CeleryWorker

class Runner:
    has_failed = False

    def start(self):
        print("start", signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, flush=True)

    def look_for_jobs(self):
        print("look", signal.getsignal(signal.SIGTERM).__name__, flush=True)
        signal.raise_signal(signal.SIGTERM)

    def stop_soon(self):
        print("stop soon", flush=True)

    def stop(self):
        print("stop", flush=True)

broker = Broker("redis://127.0.0.1:1/0", "us-east-1")
worker = CeleryWorker(broker, ["cpu"], lambda _: Runner(), concurrency=1)
print("ended well:", worker.run(), flush=True)
"""


def test_jobs_are_looked_for_once_signals_are_handled() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WORKER], check=False, cwd=ROOT, capture_output=True, text=True, timeout=300
    )

    told = [line for line in ended.stdout.splitlines() if line and not line.startswith("worker:")]
    assert told == ["start True", "look worker_Warm", "stop soon", "stop", "ended well: True"], ended.stderr
