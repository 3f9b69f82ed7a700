"""Processor time of a recording, as the kernel limits it."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource
from adapters.speech.workers.cpu_budget import CpuBudget
from ports.transcriber_port import Progress

budget = CpuBudget(max_audio_seconds=3600.0)
limits = [resource.getrlimit(resource.RLIMIT_CPU)]
for seconds in (60.0, 0.0, 3600.0, 1e9):
    budget.grant(Progress(seconds, 3600.0))
    limits.append(resource.getrlimit(resource.RLIMIT_CPU))
print(*[soft for soft, _ in limits], *{hard for _, hard in limits})
"""


@pytest.mark.process
def test_a_budget_grows_with_the_sound_never_shrinks_and_has_an_end() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    start, minute, again, hour, endless, ceiling = map(int, run.stdout.split())

    assert start < minute == again < hour < endless == ceiling
    assert minute - start >= 60
