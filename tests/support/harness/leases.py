"""Leases of certain jobs, which workers cannot choose."""

from uuid import UUID

from domain.model.jobs import JobLease
from ports.job_store_port import JobStorePort


def lease_of(jobs: JobStorePort, job_id: UUID, queue: str, *, lease_seconds: float = 60.0) -> JobLease:
    """Lease a job that is due; others that are due are queued again."""
    leases = {each.job.id: each for each in jobs.claim([queue], limit=1000, lease_seconds=lease_seconds)}
    wanted = leases.pop(job_id)
    for each in leases.values():
        jobs.postpone(each, delay_seconds=0, problem=None, is_failure=False)
    return wanted
