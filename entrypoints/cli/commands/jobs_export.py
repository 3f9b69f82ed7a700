"""`transcripts jobs export`: transcripts of completed jobs, as text, subtitles or JSON."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from domain.model.errors import TranscriptionServiceError
from domain.model.events.event import Publication
from domain.model.jobs import Job, JobResult
from domain.services.batch_processing import BatchResult
from entrypoints.cli.commands.process_options import file_options, transcript_folder
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import examples
from entrypoints.cli.views.jobs import file_of
from entrypoints.cli.views.output import EXIT_FAILED, print_json
from entrypoints.cli.views.transcript_files import TranscriptFileError, TranscriptFolder, TranscriptFormat
from entrypoints.cli.views.transcripts import Outcome, outcome_as_json, print_document, show_outcomes
from ports.cleaner_port import CleanedTranscript

if TYPE_CHECKING:
    from bootstrap.container import Container


@click.command(
    "export",
    short_help="Print or write transcripts of completed jobs.",
    epilog=examples(
        "jobs export 7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de",
        "jobs export 7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de --format srt > video.srt",
    ),
)
@click.argument("job_ids", nargs=-1, required=True, metavar="ID...", type=click.UUID)
@file_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def export(
    job_ids: tuple[UUID, ...],
    *,
    form: TranscriptFormat | None,
    folder: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Print the transcripts of completed jobs, or write each to a file in --output.

    A file is named like the recording that `jobs submit` was given, else by the id of the job. Exits with 1
    where a job has no transcript.
    """
    from bootstrap.runtime.jobs import existing_jobs  # noqa: PLC0415 - slow to import

    container = build_container(configure())
    existing_jobs(container)
    results = {job_id: _result(container, job_id) for job_id in dict.fromkeys(job_ids)}
    files = _files(results)
    targets = transcript_folder(tuple(files.values()), form, folder, overwrite=overwrite, as_json=as_json)
    outcomes = [_outcome(files[job_id], result, targets) for job_id, result in results.items()]
    if as_json:
        pairs = zip(results, outcomes, strict=True)
        print_json({"results": [{"id": str(job_id)} | outcome_as_json(each) for job_id, each in pairs]})
    elif form is not None and targets is None:
        print_document(outcomes[0], form)
    else:
        show_outcomes(outcomes)
    if any(outcome.error for outcome in outcomes):
        raise SystemExit(EXIT_FAILED)


_Result = tuple[Job, BatchResult] | TranscriptionServiceError


def _result(container: "Container", job_id: UUID) -> _Result:
    """Read a transcript in the shape that `transcripts process` has, or the reason why there is none."""
    jobs = container.job_service()
    try:
        tenant_id = jobs.find_of_any_tenant(job_id).order.identity.tenant_id
        job, result = jobs.result(tenant_id, job_id)
        publication = container.job_publications().find(job)
        assert publication is not None  # noqa: S101 - the job has a transcript, so it has ended
        return job, _as_processed(job, result, publication)
    except TranscriptionServiceError as error:
        return error


def _as_processed(job: Job, result: JobResult, publication: Publication) -> BatchResult:
    return BatchResult(
        job.event_id or job.id,
        job.order.identity,
        result.transcript,
        CleanedTranscript(result.cleaned_text, result.cleaner, result.fallbacks),
        publication,
        job.order.warnings,
    )


def _files(results: Mapping[UUID, _Result]) -> dict[UUID, Path]:
    """Name a file for each job; by its id where several recordings have one name."""
    named = {job_id: _file(job_id, result) for job_id, result in results.items()}
    counts = Counter(file.stem for file in named.values())
    return {job_id: file if counts[file.stem] == 1 else Path(str(job_id)) for job_id, file in named.items()}


def _file(job_id: UUID, result: _Result) -> Path:
    return file_of(result[0]) if isinstance(result, tuple) else Path(str(job_id))


def _outcome(file: Path, result: _Result, folder: TranscriptFolder | None) -> Outcome:
    if not isinstance(result, tuple):
        return Outcome(file, error=result)
    if folder is None:
        return Outcome(file, result[1])
    try:
        return Outcome(file, result[1], written=folder.write(file, result[1]))
    except TranscriptFileError as error:
        return Outcome(file, result[1], error)
