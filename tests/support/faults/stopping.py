"""Stop a process for a while, as a machine does that swaps or a debugger."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from adapters.sql.engines.sqlite import library
from tests.support.harness.service import wait_until

LOCK_SECONDS = 120.0
"""Longest wait for the lock of an SQLite file, on a machine that is busy."""


def stop_between_writes(pid: int, database_url: str) -> None:
    """Stop a process group whose leader is not in the middle of a transaction.

    In one, it would keep the lock of an SQLite file, and all other processes would wait until it goes on.
    So the lock is held here until no thread of the leader runs.
    """
    with _no_other_writes(database_url):
        os.killpg(pid, signal.SIGSTOP)
        wait_until(lambda: _is_stopped(pid))


def _is_stopped(pid: int) -> bool:
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(thread.read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)


@contextmanager
def _no_other_writes(database_url: str) -> Iterator[None]:
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        yield
        return
    with closing(library.connect(url.database, timeout=LOCK_SECONDS, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
