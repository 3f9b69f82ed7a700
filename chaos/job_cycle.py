"""Work on jobs for strace to break: submit, claim, renew, finish a unit, then complete, fail or cancel.

    python -m chaos.job_cycle DATABASE_URL BUS_URL

Prints the id of each job once it is added: from then on it must end, once. The bus is not called.
"""

import sys

from adapters.sql.jobs.jobs import SqlJobs
from bootstrap.factories.database import prepare_database
from chaos.cycle import REFUSED
from domain.model.errors import JobStoreUnavailableError
from tests.support.samples.jobs import BUSY, HALFWAY, QUEUE, a_result, an_order, completed, failed

LEASE_SECONDS = 40.0


def main(database_url: str, _bus_url: str) -> int:
    """Work on three jobs, one for each end, despite injected faults."""
    jobs, code = SqlJobs(prepare_database(database_url)), 0
    for end in ("complete", "fail", "cancel"):
        try:
            _work(jobs, end)
        except JobStoreUnavailableError:
            code = REFUSED
    return code


def _work(jobs: SqlJobs, end: str) -> None:
    job = jobs.add(an_order())
    sys.stdout.write(f"{job.id}\n")
    sys.stdout.flush()
    (lease,) = jobs.claim([QUEUE], limit=1, lease_seconds=LEASE_SECONDS)
    job = lease.job  # an earlier one where its claim was broken
    jobs.renew([lease], lease_seconds=LEASE_SECONDS)
    jobs.advance(lease, HALFWAY, units={"unit": "{}"})
    if end == "complete":
        jobs.complete(lease, a_result(), completed(job))
    elif end == "fail":
        jobs.fail(lease, BUSY, failed(job, BUSY))
    else:
        jobs.cancel(job.id, BUSY, failed(job, BUSY))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
