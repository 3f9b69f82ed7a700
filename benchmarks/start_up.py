"""How long things take before they do anything: `--help`, importing the app, and what is in that."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 7
COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "transcripts --help": (str(Path(sys.executable).with_name("transcripts")), "--help"),
    "import fastapi, uvicorn, boto3 (a bare app)": (sys.executable, "-c", "import fastapi, uvicorn, boto3"),
    "import entrypoints.api.app": (sys.executable, "-c", "import entrypoints.api.app"),
}


def main() -> None:
    """Run each command in turn, several times over, and print medians."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    memory: dict[str, int] = {}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _, _, usage = os.wait4(process.pid, 0)
            seconds[name].append(time.perf_counter() - began)
            memory[name] = max(usage.ru_maxrss, memory.get(name, 0))
    for name, times in seconds.items():
        median, low, high = statistics.median(times), min(times), max(times)
        print(f"{name:45} {median:6.3f} s ({low:.3f} to {high:.3f})  {memory[name] / 1024:6.1f} MiB")


if __name__ == "__main__":
    main()
