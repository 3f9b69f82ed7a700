"""`transcripts` in a process that kills its process group when it has come to a step of a job.

    python -m tests.support.faults.dying STEP MOMENT ARGUMENTS…

STEP is one of `STEPS`; MOMENT is `before` the COMMIT of the step, or `after` it.
"""

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, event

from adapters.sql.engines.sqlite import READS_ONLY
from adapters.sql.jobs.jobs import SqlJobs
from domain.model.jobs import JobLease
from entrypoints.cli import main as transcripts

STEPS = {
    "accept": "add",
    "claim": "claim",
    "renew": "renew",
    "unit": "advance",
    "finish": "complete",
    "fail": "fail",
    "cancel": "cancel",
    "queue again": "postpone",
}
"""Steps of a job with the methods of its store."""
BEFORE, AFTER = "before", "after"
DEADLY = "deadly"
"""Name in the metadata of a job that kills the workers that claim it, with the step of this name."""

_here = threading.local()  # `is_at_step`: this thread is about to commit the step


def die() -> None:
    """Kill the process and its children, as a power failure would."""
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _die_at_commit(connection: Connection) -> None:
    is_write = not connection.get_execution_options().get(READS_ONLY)
    if is_write and getattr(_here, "is_at_step", False):
        die()


def _counts(name: str, result: object, options: Mapping[str, object]) -> bool:
    """Leave out what is no step of a job: looks that find nothing, and progress without a unit."""
    return bool(result) and (name != "advance" or bool(options.get("units")))


def arm(step: str, moment: str) -> None:
    """Have the process die at a step of any job."""
    name = STEPS[step]
    write: Callable[..., Any] = getattr(SqlJobs, name)

    @functools.wraps(write)
    def deadly(*arguments: object, **options: object) -> object:
        _here.is_at_step = moment == BEFORE and _counts(name, result=True, options=options)
        try:
            result: object = write(*arguments, **options)
        finally:
            _here.is_at_step = False
        if _counts(name, result, options):
            die()
        return result

    setattr(SqlJobs, name, deadly)
    event.listen(Engine, "commit", _die_at_commit)


def arm_for_deadly_jobs() -> None:
    """Have the process die once it has claimed a job whose caller says that it is deadly."""
    claim = SqlJobs.claim

    @functools.wraps(claim)
    def deadly(jobs: SqlJobs, queues: Sequence[str], **options: Any) -> tuple[JobLease, ...]:
        leases = claim(jobs, queues, **options)
        if any(DEADLY in lease.job.order.metadata and not lease.has_failed for lease in leases):
            die()
        return leases

    SqlJobs.claim = deadly  # type: ignore[method-assign]


def main(step: str, moment: str, *arguments: str) -> None:
    """Run `transcripts` until its death."""
    if step == DEADLY:
        arm_for_deadly_jobs()
    else:
        arm(step, moment)
    transcripts.main(arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
