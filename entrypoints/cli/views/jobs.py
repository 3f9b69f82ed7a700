"""Views of jobs: lines of text, and JSON; texts of callers are escaped."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from domain.model.errors import TranscriptionServiceError
from domain.model.jobs import Job, JobCounts, JobState
from entrypoints.cli.views.outbox import age
from entrypoints.cli.views.output import printable
from entrypoints.cli.views.progress import clock

FILE = "file"
"""Key of the metadata under which `transcripts jobs submit` keeps the name of the file."""
MAX_NAME = 40
"""Characters of a name in a list."""


def job_as_json(job: Job) -> dict[str, object]:
    """Convert a job to JSON; there is no text of the recording in it."""
    order, recording, progress = job.order, job.order.recording, job.progress._asdict()
    return {
        "id": str(job.id),
        "interaction_id": str(job.event_id or job.id),
        "state": job.state.value,
        "stage": progress.pop("stage"),
        "progress": progress,
        "problem": None if job.problem is None else job.problem.model_dump(),
        "failures": job.failures,
        "tenant_id": str(order.identity.tenant_id),
        "user_id": order.identity.user_id,
        "account_id": order.identity.account_id,
        "queue": order.queue,
        "recording": None if recording is None else {"size": recording.size, "sha256": recording.sha256},
        "source": None if order.source_url is None else {"url": without_query(order.source_url)},
        "options": order.options.model_dump(mode="json"),
        "metadata": dict(order.metadata),
        "created_at": job.created_at.isoformat(),
        "started_at": _moment(job.started_at),
        "updated_at": job.updated_at.isoformat(),
        "finished_at": _moment(job.finished_at),
        "revision": job.revision,
        "retry_of": _text(order.retry_of),
        "retried_as": _text(job.retried_as),
        "warnings": [warning.model_dump(mode="json") for warning in order.warnings],
    }


def failed_as_json(job_id: UUID | None, error: TranscriptionServiceError) -> dict[str, object]:
    """Describe an error, and the job with which a command failed; None where there is none."""
    return {"id": _text(job_id), "error": {"type": type(error).__name__, "detail": str(error)}}


def as_line(job: Job, now: datetime) -> str:
    """Format a job as one line: id, tenant, state, age, progress, name."""
    name = name_of(job)
    shortened = name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"
    seconds = (now - job.created_at).total_seconds()
    return (
        f"{job.id}  {job.order.identity.tenant_id}  {job.state:<10}  {age(seconds):>6} old  "
        f"{_progress(job):<16}  {shortened}"
    ).rstrip()


def as_lines(job: Job) -> Iterator[str]:
    """Format a job with one line for each field."""
    fields = job_as_json(job)
    for name, value in fields.items():
        if isinstance(value, dict) and name in {"progress", "problem", "recording", "source"}:
            for part, each in value.items():
                yield _line(f"{name}.{part}", each)
        else:
            yield _line(name, value)


def counts_as_line(counts: JobCounts) -> str:
    """Format the number of jobs that have not ended, and the age of the oldest that waits."""
    oldest = f" (the oldest for {age(counts.oldest_queued_seconds)})" if counts.queued else ""
    return f"{counts.queued} queued{oldest}, {counts.processing} processing"


def outcome_of(job: Job) -> str:
    """Say in one line how a job ended, or that it has not."""
    if job.problem is None or job.state is JobState.CANCELLED:
        return job.state.value
    return f"{job.state}, {job.problem.reason}: {printable(job.problem.detail)}"


def work_seconds(job: Job) -> float | None:
    """Return the time from the first try to the end of a job."""
    if job.started_at is None or job.finished_at is None:
        return None
    return (job.finished_at - job.started_at).total_seconds()


def name_of(job: Job) -> str:
    """Return a name for people: of the file, else of the source, else the id; free of control characters."""
    file = job.order.metadata.get(FILE)
    if isinstance(file, str) and file:
        return printable(file)
    if job.order.source_url is not None:
        return printable(without_query(job.order.source_url))
    return str(job.id)


def file_of(job: Job) -> Path:
    """Return the name of the recording; one of a caller counts only if it is a plain name of a file."""
    file = job.order.metadata.get(FILE)
    if isinstance(file, str) and file.isprintable() and file[:1] not in {"", "."} and Path(file).name == file:
        return Path(file)
    return Path(str(job.id))


def without_query(url: str) -> str:
    """Return a URL without user, password, query and fragment, which may be secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def _progress(job: Job) -> str:
    done, total = job.progress.done_seconds, job.progress.total_seconds
    if total is None:
        return clock(done) if done else ""
    return f"{clock(done)}/{clock(total)}"


def _line(name: str, value: object) -> str:
    return f"{name:<24} {'-' if value in (None, {}, []) else printable(str(value))}"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
