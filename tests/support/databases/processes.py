"""Start of several `outbox_process` processes at the same moment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
MODULE = "tests.support.databases.outbox_process"


def run_together(count: int, *arguments: str) -> list[Any]:
    """Run the processes and return their outputs; fail if one of them failed."""
    processes = [_started(*arguments) for _ in range(count)]
    for process in processes:
        _go(process)
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0] * count, [errors for _, errors in outputs]
    return [json.loads(output) for output, _ in outputs]


def _started(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", MODULE, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()
