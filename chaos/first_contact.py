"""First contact: several processes open a new SQLite file at the same moment, and each must add an event.

    python -m chaos.first_contact [--rounds 300] [--processes 8] [--interpreter]

Needs strace, which slows every sync by 20 ms, while two loops keep the cores busy. Exits with code 1 if a
process failed or an event is missing.
"""

import argparse
import os
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import alembic.command  # noqa: F401 - imported once, before the forks

from adapters.sql.database import Database
from adapters.sql.engines.sqlite import library, sqlite_engine
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.upgrade import upgrade_schema
from tests.support.samples.factories import an_event

SLOW_SYNCS = ("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_exit=20000")
TRACED = "UNDER_STRACE"


def main() -> int:
    """Run the rounds, and print how many processes failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=300, help="number of new files")
    parser.add_argument("--processes", type=int, default=8, help="number of processes that open each file")
    parser.add_argument("--interpreter", action="store_true", help="use the interpreter's own SQLite")
    options = parser.parse_args()
    if TRACED not in os.environ:
        program = (sys.executable, "-m", "chaos.first_contact", *sys.argv[1:])
        os.environ[TRACED] = "1"
        os.execvp("strace", ("strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, *SLOW_SYNCS, *program))  # noqa: S606, S607 - our own script
    chosen = sqlite3 if options.interpreter else library
    loops = [_forked(_loop) for _ in range(2)]
    try:
        failed = sum(_round(options.processes, chosen) for _ in range(options.rounds))
    finally:
        for pid in loops:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    told = f"SQLite {chosen.sqlite_version}: {options.rounds} files x {options.processes} processes"
    sys.stdout.write(f"{told}: {failed} failed\n")
    return 1 if failed else 0


def _round(processes: int, chosen: ModuleType) -> int:
    """Return how many processes failed or stored no event."""
    with tempfile.TemporaryDirectory(prefix="first-contact-") as folder:
        path = Path(folder) / "var" / "transcripts.db"
        waiting, begin = os.pipe()
        pids = [_forked(lambda: _meet(path, chosen, waiting, begin)) for _ in range(processes)]
        os.close(begin)  # the end of the pipe is the signal
        os.close(waiting)
        succeeded = sum(os.waitpid(pid, 0)[1] == 0 for pid in pids)
        database = Database(sqlite_engine(path))
        found = SqlOutbox(database).counts().waiting
        database.close()
    return processes - min(succeeded, found)


def _meet(path: Path, chosen: ModuleType, waiting: int, begin: int) -> None:
    os.close(begin)
    os.read(waiting, 1)
    database = Database(sqlite_engine(path, library=chosen))
    upgrade_schema(database)
    SqlOutbox(database).add(an_event())
    database.close()


def _forked(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:  # noqa: BLE001 - a child must never go on as its parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _loop() -> None:
    while True:
        pass


if __name__ == "__main__":
    sys.exit(main())
