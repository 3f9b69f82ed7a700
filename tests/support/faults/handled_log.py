"""Handler for consumers that are killed: logs each event and its process, durably."""

import os
import time
from collections import defaultdict
from pathlib import Path

from domain.model.consuming.received import ReceivedEvent

VARIABLE = "HANDLED_LOG"
SECONDS_EACH = 0.005


def handle(received: ReceivedEvent) -> None:
    """Log the event; it is handled once the write ends."""
    time.sleep(SECONDS_EACH)  # a handler does something
    line = f"{os.getpid()} {received.event.interaction_id}\n".encode()
    log = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(log, line)
        os.fsync(log)
    finally:
        os.close(log)


def handled(path: Path) -> dict[int, list[str]]:
    """Return the ids that each process handled, in order."""
    by_process: dict[int, list[str]] = defaultdict(list)
    for line in path.read_text(encoding="ascii").splitlines() if path.exists() else ():
        process, interaction_id = line.split()
        by_process[int(process)].append(interaction_id)
    return by_process
