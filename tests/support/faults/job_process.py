"""One job from its submission to its end, in a process that kills itself on the way.

    python -m tests.support.faults.job_process DATABASE_URL STEP MOMENT

STEP is one of `STEPS`; MOMENT is `before` its COMMIT, or `after` it. Prints the job's id once it is accepted.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import event

from adapters.sql.jobs.jobs import SqlJobs
from bootstrap.factories.database import prepare_database
from tests.support.harness.installed_command import clean_environment
from tests.support.samples.jobs import BUSY, HALFWAY, QUEUE, a_result, an_order, completed, failed

ROOT = Path(__file__).parents[3]
STEPS = ("add", "claim", "renew", "unit", "finish", "fail", "cancel")
MOMENTS = ("before", "after")
LEASE_SECONDS = 40.0

Result = TypeVar("Result")


def run(database_url: str, step: str, moment: str) -> tuple[int, str]:
    """Run the process; return its exit code, and the id that it printed."""
    command = [sys.executable, "-m", "tests.support.faults.job_process", database_url, step, moment]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
    )
    return ended.returncode, ended.stdout.strip()


def _die(*_arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(database_url: str, step: str, moment: str) -> None:
    """Work on one job up to the moment of death."""
    database = prepare_database(database_url)
    jobs = SqlJobs(database)

    def perform(name: str, write: Callable[[], Result]) -> Result:
        if name == step and moment == "before":
            event.listen(database.engine, "commit", _die)
        result = write()
        if name == step:
            _die()
        return result

    job = perform("add", lambda: jobs.add(an_order()))
    sys.stdout.write(f"{job.id}\n")
    sys.stdout.flush()
    (lease,) = perform("claim", lambda: jobs.claim([QUEUE], limit=1, lease_seconds=LEASE_SECONDS))
    perform("renew", lambda: jobs.renew([lease], lease_seconds=LEASE_SECONDS))
    perform("unit", lambda: jobs.advance(lease, HALFWAY, units={"unit": "{}"}))
    if step == "cancel":
        perform("cancel", lambda: jobs.cancel(job.id, BUSY, failed(job, BUSY)))
    elif step == "fail":
        perform("fail", lambda: jobs.fail(lease, BUSY, failed(job, BUSY)))
    else:
        perform("finish", lambda: jobs.complete(lease, a_result(), completed(job)))


if __name__ == "__main__":
    main(*sys.argv[1:])
