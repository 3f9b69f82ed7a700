"""A handler of erasures: deletes the files that `transcripts consume --to` wrote of an erased transcript.

WAREHOUSE=warehouse transcripts consume --kind erased --handler erase_copies:erase

WAREHOUSE is the folder of `--to`. Both consumers use one DATABASE_URL and one --group: then a transcript that
arrives after its erasure is dropped.
"""

import os
from pathlib import Path

from domain.model.consuming.received import ReceivedEvent

SUFFIXES = ("jsonl", "parquet")


def erase(received: ReceivedEvent) -> None:
    """Delete the files of the interaction, of any day; having none is a success."""
    event = received.event
    tenant = Path(os.environ["WAREHOUSE"]) / f"tenant_id={event.tenant_id}"
    for suffix in SUFFIXES:
        for file in tenant.glob(f"day=*/{event.interaction_id}.{suffix}"):
            file.unlink(missing_ok=True)
            _synchronise(file.parent)


def _synchronise(folder: Path) -> None:
    """Let the deletion survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
