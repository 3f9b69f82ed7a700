"""`transcripts jobs`: submits, lists, follows, cancels and retries jobs, and exports their transcripts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click

from domain.model.errors import JobError, JobNotFoundError, TranscriptionServiceError
from domain.model.jobs import MAX_PAGE, Job, JobPage, JobQuery, JobState
from domain.services.jobs.jobs import JobService
from entrypoints.cli.commands.jobs_export import export
from entrypoints.cli.commands.jobs_submit import submit
from entrypoints.cli.commands.jobs_watch import Followed, follow
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import examples, limit_option
from entrypoints.cli.views.jobs import as_line, as_lines, counts_as_line, failed_as_json, job_as_json, name_of
from entrypoints.cli.views.output import EXIT_FAILED, print_json, printable

if TYPE_CHECKING:
    from bootstrap.container import Container

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
JOB_IDS = click.argument("job_ids", nargs=-1, required=True, metavar="ID...", type=click.UUID)
AN_ID = "7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de"

_Action = Callable[[JobService, Job], Job]


@click.group("jobs")
def command() -> None:
    """Work with jobs: recordings that are transcribed in the background, and survive crashes.

    The commands use the service's database and store of recordings (DATABASE_URL, RECORDING_STORE), without
    HTTP: they are for operators, who see the jobs of all tenants.
    """


command.add_command(submit)


@command.command(
    "list",
    short_help="List jobs, the newest first.",
    epilog=examples("jobs list", "jobs list --state failed --all"),
)
@click.option(
    "--state",
    type=click.Choice(JobState, case_sensitive=False),
    help="Only jobs in this state. [default: all]",
)
@click.option(
    "--tenant",
    metavar="UUID",
    type=click.UUID,
    help="Only jobs of this tenant. [default: MOCK_TENANT_ID, else all tenants]",
)
@click.option("--all", "of_all", is_flag=True, help="Jobs of all tenants, also where MOCK_TENANT_ID is set.")
@limit_option("jobs")
@AS_JSON
def list_jobs(
    state: JobState | None, tenant: UUID | None, limit: int, *, of_all: bool, as_json: bool
) -> None:
    """List jobs without their transcripts, the newest first; then how many of all tenants have not ended."""
    if of_all and tenant is not None:
        raise click.UsageError("--all and --tenant contradict each other.")
    container = _container()
    default = container.settings().mock_tenant_id
    tenant_id = tenant or (UUID(default) if default and not of_all else None)
    page = _page(container, JobQuery(tenant_id, state), limit)
    counts, now = container.jobs().counts(), datetime.now(UTC)
    if as_json:
        jobs = [job_as_json(job) for job in page.jobs]
        print_json({"counts": counts._asdict(), "jobs": jobs, "more": page.next is not None})
        return
    for job in page.jobs:
        click.echo(as_line(job, now))
    if page.next is not None:
        click.echo(f"… and more; --limit {limit} was reached", err=True)
    click.echo(counts_as_line(counts))


@command.command(
    "show", short_help="Show a job, without its transcript.", epilog=examples(f"jobs show {AN_ID}")
)
@click.argument("job_id", metavar="ID", type=click.UUID)
@AS_JSON
def show(job_id: UUID, *, as_json: bool) -> None:
    """Show a job with its progress and problem; `jobs export` prints its transcript."""
    job = _found(_container(), job_id)
    if as_json:
        print_json(job_as_json(job))
        return
    for line in as_lines(job):
        click.echo(line)


@command.command("watch", short_help="Show the progress of jobs.", epilog=examples(f"jobs watch {AN_ID}"))
@JOB_IDS
@AS_JSON
def watch(job_ids: tuple[UUID, ...], *, as_json: bool) -> None:
    """Show a line with a bar for each job, on stderr, until all have ended; Ctrl-C leaves them running.

    Exits with 1 where one has not completed.
    """
    container = _container()
    jobs = [_found(container, job_id) for job_id in job_ids]
    ended = follow(container, jobs)
    if as_json:
        print_json({"jobs": [_as_json(*each) for each in ended.items()]})
    if not all(isinstance(each, Job) and each.state is JobState.COMPLETED for each in ended.values()):
        raise SystemExit(EXIT_FAILED)


@command.command(
    "cancel", short_help="End jobs that have not ended.", epilog=examples(f"jobs cancel {AN_ID}")
)
@JOB_IDS
@AS_JSON
def cancel(job_ids: tuple[UUID, ...], *, as_json: bool) -> None:
    """End jobs that have not ended; their recordings stay for RECORDING_KEEP_DAYS, for `jobs retry`.

    Exits with 1 where a job had completed or failed.
    """

    def end(jobs: JobService, job: Job) -> Job:
        ended = jobs.cancel(job.order.identity.tenant_id, job.id)
        if ended.state is not JobState.CANCELLED:
            raise JobError(f"The job had ended already: it is {ended.state}.")
        return ended

    _each(job_ids, end, as_json=as_json)


@command.command(
    "retry", short_help="Try failed or cancelled jobs again.", epilog=examples(f"jobs retry {AN_ID}")
)
@JOB_IDS
@AS_JSON
def retry(job_ids: tuple[UUID, ...], *, as_json: bool) -> None:
    """Add a new job for each failed or cancelled one, and print its id; finished parts are not repeated.

    A second call finds the same job.
    """

    def again(jobs: JobService, job: Job) -> Job:
        return jobs.retry(job.order.identity.tenant_id, job.id)

    _each(job_ids, again, as_json=as_json)


command.add_command(export)


def _container() -> "Container":
    """Build a container on a database that exists."""
    from bootstrap.runtime.jobs import existing_jobs  # noqa: PLC0415 - slow to import

    container = build_container(configure())
    existing_jobs(container)
    return container


def _page(container: "Container", query: JobQuery, limit: int) -> JobPage:
    """Collect pages until there are as many jobs as wanted."""
    jobs: list[Job] = []
    behind = None
    while len(jobs) < limit:
        size = min(MAX_PAGE, limit - len(jobs))
        found, behind = container.job_service().page(replace(query, behind=behind, limit=size))
        jobs.extend(found)
        if behind is None:
            break
    return JobPage(tuple(jobs), behind)


def _found(container: "Container", job_id: UUID) -> Job:
    try:
        return container.job_service().find_of_any_tenant(job_id)
    except JobNotFoundError:
        raise JobNotFoundError(f"There is no job {job_id}.") from None


def _each(job_ids: Sequence[UUID], act: _Action, *, as_json: bool) -> None:
    """Act on each job and print the outcomes; one that fails does not keep the others, and is told by 1."""
    jobs = _container().job_service()
    outcomes = {job_id: _outcome(jobs, job_id, act) for job_id in job_ids}
    if as_json:
        print_json({"jobs": [_as_json(*each) for each in outcomes.items()]})
    else:
        for job_id, outcome in outcomes.items():
            _print(job_id, outcome)
    if not all(isinstance(outcome, Job) for outcome in outcomes.values()):
        raise SystemExit(EXIT_FAILED)


def _outcome(jobs: JobService, job_id: UUID, act: _Action) -> Followed:
    try:
        return act(jobs, jobs.find_of_any_tenant(job_id))
    except TranscriptionServiceError as error:
        return error


def _print(job_id: UUID, outcome: Followed) -> None:
    if isinstance(outcome, Job):
        retried = "" if outcome.id == job_id else f"  (again for {job_id})"
        click.echo(f"{outcome.id}  {outcome.state}  {name_of(outcome)}{retried}")
    else:
        click.echo(f"{job_id}: {printable(str(outcome))}", err=True)


def _as_json(job_id: UUID, outcome: Followed) -> dict[str, object]:
    return job_as_json(outcome) if isinstance(outcome, Job) else failed_as_json(job_id, outcome)
