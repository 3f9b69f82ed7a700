"""Starts the processes of `outbox_process`, all at the same moment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[4]
MODULE = "tests.unit.adapters.sql.outbox_process"


def run_together(count: int, *arguments: str) -> list[Any]:
    """What each of them printed; fails where one of them failed."""
    command = [sys.executable, "-W", "error", "-m", MODULE, *arguments]
    processes = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * count, [errors for _, errors in outputs]
    return [json.loads(output) for output, _ in outputs]
