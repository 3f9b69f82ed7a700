"""Mutation check: break the code on purpose, in a copy of the tree, and expect a failing test for each break.

    python -m chaos.mutants

Exits with code 1 if no test fails for a break, or if a break no longer fits the code.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "var", "dist", "build")
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)
SECONDS_A_RUN = 600

FAULTS = "tests/system/faults/test_"
SERVICES = "tests/unit/domain/services/"
CONSUMER_LOOP = f"{SERVICES}consuming/test_loop.py"
SQL = "tests/unit/adapters/sql/"


class Mutant(NamedTuple):
    """Deliberate break of the code.

    Attributes:
        old: a text that the file contains exactly once.
        tests: the tests of which one must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "record before send",
        "domain/services/relay/relay.py",
        "            self._dispatcher.submit(batch)\n",
        "            from domain.model.outbox import Published\n"
        "            self._outbox.record([Published(lease, 'soon') for lease in batch.leases])\n"
        "            self._dispatcher.submit(batch)\n",
        (f"{FAULTS}relays.py",),
    ),
    Mutant(
        "no fencing token",
        "adapters/sql/outbox/statements.py",
        "_ROW.token == outcome.c.token",
        "outcome.c.token.is_not(None)",
        (f"{FAULTS}relays.py",),
    ),
    Mutant(
        "poll by a high-water mark",
        "adapters/sql/outbox/statements.py",
        ".where(IS_WAITING, is_free)",
        ".where(IS_WAITING, is_free,\n"
        "            _ROW.added_at > select(func.coalesce(func.max(outbox.alias('seen').c.added_at), 0.0))\n"
        "            .where(outbox.alias('seen').c.settled_at.is_not(None)).scalar_subquery())",
        (f"{FAULTS}faulty_bus.py::test_a_fault_that_ends_loses_nothing",),
    ),
    Mutant(
        "reject on an unknown code",
        "adapters/aws/errors.py",
        'return EventBusUnavailableError(f"{service} did not accept the event: {failure}")',
        'return EventRejectedError(f"{service} did not accept the event: {failure}")',
        (f"{FAULTS}faulty_bus.py::test_a_fault_that_ends_loses_nothing",),
    ),
    Mutant(
        "synchronous off",
        "adapters/sql/engines/sqlite.py",
        '"synchronous=FULL"',
        '"synchronous=OFF"',
        (f"{SQL}engines/test_sqlite.py",),
    ),
    Mutant(
        "answer queued without adding",
        "domain/services/publishing/outbox_publisher.py",
        "        lease = self._store(event, self._lease_seconds if tries else 0.0, traceparent)\n",
        "        if not tries:\n            return QUEUED\n"
        "        lease = self._store(event, self._lease_seconds, traceparent)\n",
        (
            f"{FAULTS}faulty_bus.py::test_a_bus_that_is_down_for_the_whole_run_gets_everything_when_it_is_back",
        ),
    ),
    Mutant(
        "answer queued where neither could be had",
        "domain/services/publishing/outbox_publisher.py",
        "            return self._without_outbox(event)\n",
        "            self._without_outbox(event)\n            return QUEUED\n",
        (
            f"{FAULTS}faulty_databases.py::test_a_disk_that_fails_leaves_the_bus_and_is_used_again_when_it_works",
        ),
    ),
    Mutant(
        "go on with old connections after an I/O error",
        "adapters/sql/engines/sqlite.py",
        "        if is_io_error(context.original_exception):",
        "        if False and is_io_error(context.original_exception):",
        (f"{SQL}engines/test_sqlite.py::test_a_disk_that_fails_to_sync_is_reported_and_recovers",),
    ),
    Mutant(
        "promise into a file that is gone",
        "adapters/sql/engines/sqlite_file.py",
        "    if _FILE not in info:\n        return\n",
        "    return\n",
        (f"{SQL}engines/test_sqlite_file.py",),
    ),
    Mutant(
        "believe an answer of 200",
        "adapters/aws/eventbridge/publisher.py",
        "    raise unreadable_response()\n\n\ndef _outcome",
        '    return [Publication(PublicationStatus.PUBLISHED, "200")] * count\n\n\ndef _outcome',
        (f"{FAULTS}faulty_bus.py::test_a_fault_that_ends_loses_nothing",),
    ),
    Mutant(
        "a lease that never ends",
        "adapters/sql/outbox/statements.py",
        "_lease((_ROW.due_at <= now) & (_ROW.lease_until <= now), now)",
        "_lease((_ROW.due_at <= now) & _ROW.token.is_(None), now)",
        (f"{FAULTS}relays.py",),
    ),
    Mutant(
        "delete dead letters before they are copied",
        "domain/services/dead_letters/redrive.py",
        "        copies = self._queue.resend(messages)\n",
        "        self._dead_letters.delete(messages)\n        copies = self._queue.resend(messages)\n",
        (f"{SERVICES}dead_letters/test_redrive.py", f"{FAULTS}killed_redrives.py"),
    ),
    Mutant(
        "prune what waits",
        "adapters/sql/outbox/statements.py",
        '            IS_SETTLED,\n            _ROW.state.in_(bindparam("states", expanding=True)),\n'
        "            _ROW.settled_at <= now",
        '            _ROW.state.in_(bindparam("states", expanding=True)) | IS_WAITING,\n'
        "            _ROW.added_at <= now",
        (f"{SQL}outbox/test_outbox.py::TestSqlOutbox::test_waiting_events_are_never_pruned",),
    ),
    Mutant(
        "delete what was not handled",
        "domain/services/consuming/acknowledger.py",
        "        self.change_visibility([message.message], delay)",
        "        self._delete([message.message])",
        (CONSUMER_LOOP,),
    ),
    Mutant(
        "handle an event that another consumer has in flight",
        "domain/services/consuming/receiver.py",
        "        self._in_flight.block(",
        "        self._in_flight.add(",
        (CONSUMER_LOOP,),
    ),
    Mutant(
        "delete without remembering",
        "domain/services/consuming/acknowledger.py",
        "complete(_leases(messages), retention",
        "complete((), retention",
        (CONSUMER_LOOP,),
    ),
)


class Outcome(NamedTuple):
    """The first failing test of a mutant, `red`, or None if no test failed."""

    mutant: Mutant
    red: str | None
    seconds: float


def main() -> int:
    """Run the tests without a break, then with each break, and print a table."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
        _check(copy)
        outcomes = [_try(copy, mutant) for mutant in MUTANTS]
    survivors = [outcome for outcome in outcomes if outcome.red is None]
    _say(f"{len(outcomes) - len(survivors)} of {len(outcomes)} breaks made a test fail")
    return 1 if survivors else 0


def _check(copy: Path) -> None:
    """Exit unless every mutant fits the code and the tests pass without a break."""
    unfit = [mutant.name for mutant in MUTANTS if (copy / mutant.file).read_text().count(mutant.old) != 1]
    if unfit:
        sys.exit(f"these breaks no longer fit the code: {', '.join(unfit)}")
    red = _run(copy, sorted({test for mutant in MUTANTS for test in mutant.tests}))
    if red:
        sys.exit(f"{red} fails without a break")


def _try(copy: Path, mutant: Mutant) -> Outcome:
    file, begun = copy / mutant.file, time.monotonic()
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        outcome = Outcome(mutant, _run(copy, mutant.tests), time.monotonic() - begun)
    finally:
        file.write_text(whole, encoding="utf-8")
    _say(f"{mutant.name:42} {outcome.seconds:5.0f} s  {outcome.red or 'NO TEST FAILED'}")
    return outcome


def _run(copy: Path, tests: Sequence[str]) -> str | None:
    """Return the first test that fails; child processes run the code of the copy, too."""
    command = (sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *tests)
    environ = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(  # noqa: S603 - our own tests
        command, cwd=copy, env=environ, capture_output=True, text=True, timeout=SECONDS_A_RUN, check=False
    )
    failed = FAILED.search(run.stdout)
    if failed:
        return failed[1]
    if run.returncode:
        sys.exit(f"pytest ran no test:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
