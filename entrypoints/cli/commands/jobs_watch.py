"""Following jobs on the command line: a bar for each, until all have ended."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from domain.model.errors import JobStoreUnavailableError, TranscriptionServiceError
from domain.model.jobs import Job, JobStage, JobState
from entrypoints.cli.runtime.failures import CommandInterruptedError
from entrypoints.cli.views.jobs import name_of, outcome_of, work_seconds
from entrypoints.cli.views.progress import ProgressBar, ProgressBars

if TYPE_CHECKING:
    from bootstrap.container import Container

LOOK_SECONDS = 30.0
"""Longest wait for a change; then the job is read in any case."""
OUTAGE_SECONDS = 2.0
"""Pause before a store that is unavailable is asked again."""

Followed = Job | TranscriptionServiceError


def follow(container: "Container", jobs: Sequence[Job]) -> Mapping[UUID, Followed]:
    """Show the progress of jobs until all have ended; return each as it is then.

    Raises:
        CommandInterruptedError: Ctrl-C; the jobs go on.
    """
    try:
        return asyncio.run(_follow(container, jobs))
    except KeyboardInterrupt:
        raise CommandInterruptedError(how_to_come_back([job.id for job in jobs])) from None


def how_to_come_back(job_ids: Sequence[UUID]) -> str:
    """Tell which command shows the jobs again."""
    subject = "The job goes on" if len(job_ids) == 1 else "The jobs go on"
    return f"Interrupted. {subject}; to come back:\n  transcripts jobs watch {' '.join(map(str, job_ids))}"


async def _follow(container: "Container", jobs: Sequence[Job]) -> dict[UUID, Followed]:
    distinct = {job.id: job for job in jobs}
    with ProgressBars() as bars:
        ended = await asyncio.gather(*(_follow_one(container, job, bars) for job in distinct.values()))
    return dict(zip(distinct, ended, strict=True))


async def _follow_one(container: "Container", job: Job, bars: ProgressBars) -> Followed:
    bar = bars.begin(name_of(job), job.state.value)
    try:
        while not job.state.is_final:
            _show(bar, job)
            await container.job_follower().changed(job.id, job.revision, timeout_seconds=LOOK_SECONDS)
            job = await _read(container, job)
    except TranscriptionServiceError as error:
        bar.end(str(error))
        return error
    is_done = job.state is JobState.COMPLETED
    bar.end(outcome_of(job), job.progress.total_seconds if is_done else None, work_seconds(job))
    return job


async def _read(container: "Container", job: Job) -> Job:
    """Read a job again; while its store is unavailable, return it as it was."""
    try:
        return await asyncio.to_thread(container.job_service().find_of_any_tenant, job.id)
    except JobStoreUnavailableError:
        await asyncio.sleep(OUTAGE_SECONDS)
        return job


def _show(bar: ProgressBar, job: Job) -> None:
    progress = job.progress
    if job.state is JobState.QUEUED:
        waits = "queued" if job.problem is None else f"queued again after {job.problem.reason}"
        bar.tell(waits)
    elif progress.stage is JobStage.TRANSCRIBING:
        bar.tell(job.state.value)
        bar.update(progress.done_seconds, progress.total_seconds, progress.eta_seconds)
    else:
        bar.tell(progress.stage or job.state.value)
