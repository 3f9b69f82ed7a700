"""Memory use of uploads: one very large one, and many large ones at once."""

import contextlib
import struct
import sys
import tempfile
from pathlib import Path

from benchmarks.callers import load
from benchmarks.report import Report, Table, Target
from benchmarks.servers import CREDENTIALS, Service, server, service
from tests.support.harness.ports import free_port

MIB = 2**20
LARGE, MANY, EACH = 256, 64, 50
"""Sizes in MiB, and their number at once."""
BYTES_PER_SECOND = 48_000 * 2 * 2
ANSWER = (
    '{"interaction_id": "7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de", "user_id": "a", "account_id": null,'
    ' "tenant_id": "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11", "raw_transcript": "", "cleaned_transcript": "",'
    ' "duration_seconds": 0, "segments": [], "event": {"status": "disabled", "event_id": null}}'
)
OURS, BARE = "ours", "bare endpoint"


def measure() -> Report:
    """Measure both on new servers, since a peak stays."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large, each = (_silence(folder, size) for size in (1, LARGE, EACH))
        rises = {
            (which, what): _rise(folder, which, small, recording, callers)
            for what, recording, callers in (("large", large, 1), ("many", each, MANY))
            for which in (OURS, BARE)
        }
    rows = tuple(
        (which, f"{rises[which, 'large'] / MIB:.1f}", f"{rises[which, 'many'] / MIB:.1f}")
        for which in (OURS, BARE)
    )
    header = ("rise of the peak, MiB", f"one of {LARGE} MiB", f"{MANY} at once of {EACH} MiB")
    share = rises[OURS, "many"] / (MANY * EACH * MIB)
    return Report(
        notes=("The server's own process, after one small upload; `canned` engine, events disabled.",),
        tables=(Table(header, rows),),
        targets=(Target("rise of ours under many uploads, of their bytes", share, at_most=0.1),),
    )


def _rise(folder: Path, which: str, small: Path, recording: Path, callers: int) -> int:
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(_ours() if which == OURS else _bare(folder))
        load(running.url, 1, 0, small)  # the first request loads modules
        before = running.peak_memory_bytes()
        load(running.url, callers, 0, recording)
        return running.peak_memory_bytes() - before


def _ours() -> contextlib.AbstractContextManager[Service]:
    return service(
        {"TRANSCRIBER": "canned", "EVENT_TRANSPORT": "noop", "TRANSCRIBER_WAITING_ROOM": str(MANY)}
    )


def _bare(folder: Path) -> contextlib.AbstractContextManager[Service]:
    answer, port = folder / "answer.json", free_port()
    answer.write_text(ANSWER)
    return server(
        (sys.executable, "-m", "benchmarks.bare_app", str(port), str(answer), "receive"), port, CREDENTIALS
    )


def _silence(folder: Path, mib: int) -> Path:
    """Create a sparse file, which takes no disk space."""
    path, size = folder / f"{mib}.wav", mib * MIB
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 48_000, BYTES_PER_SECOND, 4, 16)
    head = struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + fmt + struct.pack("<4sI", b"data", size)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
    return path
