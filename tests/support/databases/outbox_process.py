"""Process that works on an outbox; the tests run it as `python -m …outbox_process TASK …`.

It waits for a line on its standard input, so that several can begin together, and prints JSON.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import event

from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import Published
from tests.support.faults.failing_disk import DiskFault, fail_on_request
from tests.support.samples.factories import an_event


def publish(url: str, events: int) -> dict[str, list[str]]:
    """Add events and publish due events, including those of other processes."""
    port = SqlOutbox(prepare_database(url))
    added, leased = [], []
    for _ in range(events):
        added.append(port.add(an_event()).interaction_id)
        leases = port.lease_due(3, lease_seconds=60)
        leased += [lease.interaction_id for lease in leases]
        assert port.record([Published(lease, "receipt") for lease in leases]) == len(leases)
    return {"added": [str(each) for each in added], "leased": [str(each) for each in leased]}


def fill_up_to_a_limit(folder: str) -> dict[str, int]:
    """Fill the outbox up to a limit on file sizes, then lift the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    return _fill(Path(folder), lambda: limit(768 * 1024), lambda: limit(hard))


def fill_a_disk(folder: str) -> dict[str, int]:
    """Fill the outbox until the disk is full, then free space."""
    ballast = Path(folder) / "ballast"
    ballast.write_bytes(os.urandom(3 * 2**20))
    return _fill(Path(folder), lambda: None, ballast.unlink)


def fail_to_sync(folder: str) -> dict[str, object]:
    """Add events while the disk works, while its syncs fail, and when it works again."""
    switch, database = Path(folder) / DiskFault.NO_SYNC, prepare_database(f"sqlite:///{folder}/outbox.db")
    port, opened = SqlOutbox(database), list[object]()
    event.listen(database.engine, "connect", lambda *_: opened.append(1))
    fail_on_request(Path(folder))
    kept = [port.add(an_event()) for _ in range(3)]
    switch.touch()
    refused = sum(_is_refused(lambda: port.add(an_event())) for _ in range(3))
    refused += _is_refused(lambda: port.record([Published(kept[0], "receipt")]))
    refused += _is_refused(lambda: port.lease_due(1, lease_seconds=60))
    switch.unlink()
    port.counts()
    journal = (Path(folder) / "outbox.db-wal").stat().st_size
    kept.append(port.add(an_event()))
    with database.engine.connect() as connection:
        integrity = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
    return {
        "kept": [str(lease.interaction_id) for lease in kept],
        "refused": refused,
        "journal": journal,
        "reopened": len(opened),
        "found": [str(record.interaction_id) for record in port.records()],
        "integrity": integrity,
    }


def _is_refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except OutboxUnavailableError:
        return True
    return False


def _fill(folder: Path, begin: Callable[[], None], make_room: Callable[[], None]) -> dict[str, int]:
    port = SqlOutbox(prepare_database(f"sqlite:///{folder}/outbox.db"))
    begin()
    kept, refused, kept_afterwards = 0, 0, 0
    while not refused:
        kept, refused = _add(port, kept, refused)
    for _ in range(3):
        kept, refused = _add(port, kept, refused)
    make_room()
    for _ in range(3):
        port.add(an_event())
        kept_afterwards += 1
    leases = port.lease_due(10_000, lease_seconds=60)
    recorded = port.record([Published(lease, "receipt") for lease in leases])
    return {"kept": kept + kept_afterwards, "refused": refused, "found": len(leases), "recorded": recorded}


def _add(port: SqlOutbox, kept: int, refused: int) -> tuple[int, int]:
    try:
        port.add(an_event(raw_transcript="x" * 20_000))
    except OutboxUnavailableError:
        return kept, refused + 1
    return kept + 1, refused


TASKS: dict[str, Callable[[str], object]] = {
    "limit": fill_up_to_a_limit,
    "disk": fill_a_disk,
    "syncs": fail_to_sync,
}


def main(task: str, place: str) -> None:
    """Run one task on a URL or in a folder, and print its result."""
    sys.stdin.readline()
    if task == "prepare":
        prepare_database(place).close()
        result: object = "ready"
    elif task == "publish":
        result = publish(place, events=60)
    else:
        result = TASKS[task](place)
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
