"""`transcripts process`: the main job without HTTP."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import click

from domain.model.errors import TranscriptionServiceError
from domain.model.identity import resolve_identity
from domain.model.transcripts import Channels, Tracks, TranscriptionOptions
from entrypoints.cli.commands.process_options import (
    file_options,
    identity_headers,
    identity_options,
    speech_options,
    transcript_folder,
    transcription_options,
)
from entrypoints.cli.runtime.account import print_place
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import PathTo, examples
from entrypoints.cli.views.output import EXIT_FAILED
from entrypoints.cli.views.progress import ProgressBar, ProgressBars
from entrypoints.cli.views.transcript_files import TranscriptFileError, TranscriptFolder, TranscriptFormat
from entrypoints.cli.views.transcripts import (
    Outcome,
    print_document,
    print_outcomes_as_json,
    show_outcomes,
)
from ports.transcriber_port import Progress

if TYPE_CHECKING:
    from bootstrap.aws.account import AwsPlace
    from bootstrap.container import Container
    from domain.services.batch_processing import BatchResult


class _Plan(NamedTuple):
    """Treatment of all recordings."""

    headers: Mapping[str, str]  # identity
    options: TranscriptionOptions
    folder: TranscriptFolder | None  # of the files with the transcripts; None for none


@click.command(
    "process",
    epilog=examples(
        "process meeting.ogg",
        "process call.wav --channels separate --vocabulary 'Acme, EventBridge'",
        "process video.mp4 --format srt > video.srt",
        "process *.mp4 --format vtt --output subtitles",
        "process *.wav --tenant 3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11 --user alice --json",
    ),
)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=PathTo(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
)
@identity_options
@speech_options
@file_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def command(
    files: tuple[Path, ...],
    tenant: str | None,
    user: str | None,
    account: str | None,
    *,
    channels: Channels,
    tracks: Tracks,
    language: str | None,
    vocabulary: tuple[str, ...],
    form: TranscriptFormat | None,
    folder: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Transcribe FILES, as many at a time as there are workers, and publish an event for each."""
    options = transcription_options(channels, tracks, language, vocabulary)
    targets = transcript_folder(files, form, folder, overwrite=overwrite, as_json=as_json)
    settings = configure()
    container = build_container(settings)
    plan = _Plan(identity_headers(settings, tenant, user, account), options, targets)
    outcomes, place = asyncio.run(_process_all(container, files, plan))
    if place is not None:
        print_place(place, as_json=as_json)
    if as_json:
        print_outcomes_as_json(outcomes)
    elif form is not None and targets is None:
        print_document(outcomes[0], form)
    else:
        show_outcomes(outcomes)
    if not all(outcome.ok for outcome in outcomes):
        raise SystemExit(EXIT_FAILED)


async def _process_all(
    container: "Container", files: tuple[Path, ...], plan: _Plan
) -> "tuple[list[Outcome], AwsPlace | None]":
    from bootstrap.runtime.relay import relaying  # noqa: PLC0415 - slow to import

    transcriber = container.transcriber()
    container.cleaner()  # a wrong setting ends the command before the work begins
    slots = asyncio.Semaphore(container.settings().transcriber_workers)
    bars = ProgressBars()

    async def process(file: Path) -> Outcome:
        async with slots:
            return await _process(container, file, plan, bars.begin(file.name))

    with relaying(container) as lookup:
        await transcriber.start()
        try:
            with bars:
                outcomes = await asyncio.gather(*map(process, files))
        finally:
            await transcriber.stop()
    return outcomes, lookup.place if lookup else None


async def _process(container: "Container", file: Path, plan: _Plan, bar: ProgressBar) -> Outcome:
    import structlog  # noqa: PLC0415 - slow to import

    def show(progress: Progress) -> None:
        bar.update(progress.done_seconds, progress.total_seconds)

    interaction_id, began = uuid4(), time.monotonic()
    identity = resolve_identity(plan.headers, container.settings().identity_defaults)
    with structlog.contextvars.bound_contextvars(interaction_id=str(interaction_id)):
        try:
            result = await container.batch_processing().process(
                file, identity, interaction_id, options=plan.options, on_progress=show
            )
        except TranscriptionServiceError as error:
            bar.end("failed")
            return Outcome(file, error=error)
    bar.end("completed", result.transcript.duration_seconds, time.monotonic() - began)
    return _written(file, result, plan.folder)


def _written(file: Path, result: "BatchResult", folder: TranscriptFolder | None) -> Outcome:
    """Write the transcript at once: an interrupted command keeps those of the recordings that are done."""
    if folder is None:
        return Outcome(file, result)
    try:
        return Outcome(file, result, written=folder.write(file, result))
    except TranscriptFileError as error:
        return Outcome(file, result, error)
