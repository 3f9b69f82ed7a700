"""`transcripts jobs submit`: adds jobs for local recordings and for URLs."""

import contextlib
import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid4

import click

from domain.model.clock import SECONDS_PER_DAY
from domain.model.errors import EmptyRecordingError, JobStoreUnavailableError, TranscriptionServiceError
from domain.model.identity import Identity, resolve_identity
from domain.model.jobs import Job, JobState
from domain.model.metadata import MAX_METADATA_BYTES, Metadata
from domain.model.transcripts import Channels, Tracks, TranscriptionOptions
from domain.services.jobs.jobs import JobRequest
from entrypoints.cli.commands.jobs_options import MetadataType, Source, SourceType, check_key
from entrypoints.cli.commands.jobs_watch import Followed, follow, how_to_come_back
from entrypoints.cli.commands.process_options import (
    identity_headers,
    identity_options,
    speech_options,
    transcription_options,
)
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.failures import CommandInterruptedError
from entrypoints.cli.runtime.parameters import examples
from entrypoints.cli.views.jobs import FILE, failed_as_json, job_as_json, without_query
from entrypoints.cli.views.output import EXIT_FAILED, print_json, printable

if TYPE_CHECKING:
    from bootstrap.container import Container

_FICLONE = 0x40049409
"""The request of Linux that shares the blocks of a file with a new one, on file systems that can."""
IDLE_SECONDS = 15.0
"""Age of a queued job from which no worker seems to run if none is being processed."""


class _Sent(NamedTuple):
    """A recording, and its job or the error in which its submission ended."""

    source: Source
    outcome: Job | TranscriptionServiceError

    @property
    def name(self) -> str:
        return _name(self.source)


class _Order(NamedTuple):
    """All that the jobs of one command share."""

    identity: Identity
    options: TranscriptionOptions
    metadata: Metadata
    key: str | None


@click.command(
    "submit",
    short_help="Add jobs for recordings.",
    epilog=examples(
        "jobs submit meeting.ogg",
        "jobs submit *.mp3 --channels separate --wait",
        "jobs submit meeting.ogg --idempotency-key meeting-42 --metadata '{\"meeting\": 42}'",
        "jobs submit s3://recordings/meeting.ogg --tenant 3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11 --json",
    ),
)
@click.argument("sources", nargs=-1, required=True, metavar="FILE|URL...", type=SourceType())
@identity_options
@speech_options
@click.option(
    "--metadata",
    type=MetadataType(),
    metavar="JSON",
    default="{}",
    help=f"JSON object that all answers about the job repeat, up to {MAX_METADATA_BYTES} bytes. The name of"
    f' the file is added as "{FILE}", unless there is one.',
)
@click.option(
    "--idempotency-key",
    "key",
    metavar="KEY",
    help="Submit a recording once: a second call with the same key finds the job of the first one.",
)
@click.option("--wait", is_flag=True, help="Show the progress until the jobs have ended.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def submit(
    sources: tuple[Source, ...],
    tenant: str | None,
    user: str | None,
    account: str | None,
    *,
    channels: Channels,
    tracks: Tracks,
    language: str | None,
    vocabulary: tuple[str, ...],
    metadata: Metadata,
    key: str | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Add a job for each recording, which a worker transcribes (`transcripts serve` contains one).

    The files stay where they are: the jobs have copies. Exits with 0 once all jobs are stored; with --wait,
    once all have completed. Ctrl-C leaves submitted jobs running.
    """
    options = transcription_options(channels, tracks, language, vocabulary)
    check_key(key, sources)
    settings = configure()
    container = build_container(settings)
    identity = resolve_identity(identity_headers(settings, tenant, user, account), settings.identity_defaults)
    sent = _submit_all(container, sources, _Order(identity, options, metadata, key))
    jobs = [each.outcome for each in sent if isinstance(each.outcome, Job)]
    if not as_json:
        _show(sent, wait=wait)
    _warn_without_worker(container)
    ended = follow(container, jobs) if wait else {}
    if as_json:
        print_json({"jobs": [_as_json(each, ended) for each in sent]})
    if len(jobs) < len(sent) or not all(map(_is_completed, ended.values())):
        raise SystemExit(EXIT_FAILED)


def _submit_all(container: "Container", sources: Sequence[Source], order: _Order) -> list[_Sent]:
    sent: list[_Sent] = []
    container.job_service()  # a wrong setting ends the command before anything is copied
    try:
        for source in sources:
            sent.append(_Sent(source, _submit(container, source, order)))  # noqa: PERF401 - kept after Ctrl-C
    except KeyboardInterrupt:
        raise CommandInterruptedError(_how_far(sent, len(sources))) from None
    return sent


def _submit(container: "Container", source: Source, order: _Order) -> Job | TranscriptionServiceError:
    request = JobRequest(
        order.identity,
        uuid4(),
        options=order.options,
        metadata={FILE: _name(source), **order.metadata} if isinstance(source, Path) else order.metadata,
        idempotency_key=order.key,
    )
    jobs = container.job_service()
    try:
        if isinstance(source, str):
            return jobs.submit_url(source, request)
        with _copied(source, container.settings().data_dir / "submitted") as copy:
            return jobs.submit(copy, request)
    except TranscriptionServiceError as error:
        return error
    except OSError as error:
        return TranscriptionServiceError(f"{error.filename or source}: {error.strerror}")


def _show(sent: Sequence[_Sent], *, wait: bool) -> None:
    """Print a line for each recording: the id of its job and how to follow it, or the error."""
    for each in sent:
        name = printable(each.name)
        match each.outcome:
            case Job() as job if wait or job.state.is_final:
                click.echo(f"{job.id}  {job.state}  {name}")
            case Job() as job:
                click.echo(f"{job.id}  {job.state}  {name}  (transcripts jobs watch {job.id})")
            case error:
                click.echo(f"{name}: {printable(str(error))}", err=True)


def _warn_without_worker(container: "Container") -> None:
    """Say so if no worker seems to run: jobs wait although none is being processed."""
    try:
        counts = container.jobs().counts()
    except JobStoreUnavailableError:
        return  # the jobs are stored, and their ids matter more
    has_own = container.settings().job_workers > 0
    if counts.processing or not counts.queued or (has_own and counts.oldest_queued_seconds < IDLE_SECONDS):
        return
    click.echo(
        "No worker seems to run: jobs are queued, and none is being processed. `transcripts serve` has one, "
        "unless JOB_WORKERS is 0; `transcripts worker` is one.",
        err=True,
    )


def _as_json(sent: _Sent, ended: Mapping[UUID, Followed]) -> dict[str, object]:
    outcome: Followed = sent.outcome
    if isinstance(outcome, Job):
        outcome = ended.get(outcome.id, outcome)
    if isinstance(outcome, Job):
        return {"source": sent.name, **job_as_json(outcome)}
    return {"source": sent.name, **failed_as_json(None, outcome)}


def _is_completed(outcome: Followed) -> bool:
    return isinstance(outcome, Job) and outcome.state is JobState.COMPLETED


def _how_far(sent: Sequence[_Sent], wanted: int) -> str:
    ids = [each.outcome.id for each in sent if isinstance(each.outcome, Job)]
    if not ids:
        return "Interrupted; no job was added."
    return f"{len(ids)} of {wanted} recordings were submitted. {how_to_come_back(ids)}"


def _name(source: Source) -> str:
    """Return the name of a file, or the URL without what may be secret."""
    name = source.name if isinstance(source, Path) else without_query(source)
    return printable(name)


@contextlib.contextmanager
def _copied(file: Path, folder: Path) -> Iterator[Path]:
    """Copy a recording, or share its blocks: the store of recordings may move the file away."""
    if not file.stat().st_size:
        raise EmptyRecordingError("The recording has no bytes.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_left_overs(folder)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        copy = Path(own) / "recording"
        with copy.open("xb") as target, file.open("rb") as source:
            copy.chmod(0o600)
            try:
                fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
            except OSError:
                shutil.copyfileobj(source, target)
        yield copy


def _remove_left_overs(folder: Path) -> None:
    """Remove copies of commands that were killed."""
    latest = time.time() - SECONDS_PER_DAY
    for each in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another command removes its own at the same time
            if each.stat().st_mtime < latest:
                shutil.rmtree(each, ignore_errors=True)
