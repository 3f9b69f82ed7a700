"""`transcripts process`: the main job without HTTP."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import click

from domain.model.errors import InvalidIdentityError, TranscriptionServiceError
from domain.model.identity import ACCOUNT_HEADER, TENANT_HEADER, USER_HEADER, resolve_identity, uuid4_or_none
from domain.model.transcripts import Channels, Tracks, TranscriptionOptions
from entrypoints.cli.commands.process_options import (
    file_options,
    speech_options,
    transcript_folder,
    transcription_options,
)
from entrypoints.cli.runtime.account import print_place
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import PathTo, examples
from entrypoints.cli.views.output import EXIT_FAILED, printable
from entrypoints.cli.views.transcript_files import TranscriptFileError, TranscriptFolder, TranscriptFormat
from entrypoints.cli.views.transcripts import (
    Outcome,
    print_document,
    print_outcomes_as_json,
    show_outcomes,
)
from ports.transcriber_port import Progress, ProgressListener

if TYPE_CHECKING:
    from rich.progress import Progress as ProgressBars
    from rich.progress import TaskID

    from bootstrap.aws.account import AwsPlace
    from bootstrap.container import Container
    from bootstrap.settings import Settings
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
@click.option(
    "--tenant", metavar="UUID", help="Tenant id, a UUID v4. [default: MOCK_TENANT_ID, else generated]"
)
@click.option("--user", metavar="ID", help="User id. [default: MOCK_USER_ID, else system]")
@click.option("--account", metavar="ID", help="Account id within the tenant. [default: none]")
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
    plan = _Plan(_identity(settings, tenant, user, account), options, targets)
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


def _identity(
    settings: "Settings", tenant: str | None, user: str | None, account: str | None
) -> dict[str, str]:
    """Headers as the service takes them, which would replace a tenant that is none: here it is refused."""
    if tenant is not None and uuid4_or_none(tenant) is None:
        raise click.BadParameter(f"{tenant!r} is no UUID v4", param_hint="--tenant")
    defaults = settings.identity_defaults
    if tenant is None and defaults.tenant_id is None and defaults.is_strict:
        raise click.UsageError("IDENTITY=strict needs --tenant or MOCK_TENANT_ID.")
    given = {TENANT_HEADER: tenant, USER_HEADER: user, ACCOUNT_HEADER: account}
    headers = {name: value for name, value in given.items() if value is not None}
    try:
        resolve_identity(headers, defaults)
    except InvalidIdentityError as error:
        raise click.UsageError(str(error)) from error
    return headers


async def _process_all(
    container: "Container", files: tuple[Path, ...], plan: _Plan
) -> "tuple[list[Outcome], AwsPlace | None]":
    from bootstrap.runtime.relay import relaying  # noqa: PLC0415 - slow to import

    transcriber = container.transcriber()
    container.cleaner()  # a wrong setting ends the command before the work begins
    slots = asyncio.Semaphore(container.settings().transcriber_workers)
    bars = _progress_bars()

    async def process(file: Path) -> Outcome:
        async with slots:
            return await _process(container, file, plan, _listener(bars, file))

    with relaying(container) as lookup:
        await transcriber.start()
        try:
            with bars:
                outcomes = await asyncio.gather(*map(process, files))
        finally:
            await transcriber.stop()
    return outcomes, lookup.place if lookup else None


def _progress_bars() -> "ProgressBars":
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as ProgressBars  # noqa: PLC0415

    name = TextColumn("{task.description}", markup=False)
    return ProgressBars(SpinnerColumn(), name, BarColumn(), TimeElapsedColumn(), console=Console(stderr=True))


def _listener(bars: "ProgressBars", file: Path) -> ProgressListener:
    task: TaskID = bars.add_task(printable(file.name), total=None)

    def update(progress: Progress) -> None:
        bars.update(task, completed=progress.done_seconds, total=progress.total_seconds)

    return update


async def _process(container: "Container", file: Path, plan: _Plan, on_progress: ProgressListener) -> Outcome:
    import structlog  # noqa: PLC0415 - slow to import

    interaction_id = uuid4()
    identity = resolve_identity(plan.headers, container.settings().identity_defaults)
    with structlog.contextvars.bound_contextvars(interaction_id=str(interaction_id)):
        try:
            result = await container.batch_processing().process(
                file, identity, interaction_id, options=plan.options, on_progress=on_progress
            )
        except TranscriptionServiceError as error:
            return Outcome(file, error=error)
    return _written(file, result, plan.folder)


def _written(file: Path, result: "BatchResult", folder: TranscriptFolder | None) -> Outcome:
    """Write the transcript at once: an interrupted command keeps those of the recordings that are done."""
    if folder is None:
        return Outcome(file, result)
    try:
        return Outcome(file, result, written=folder.write(file, result))
    except TranscriptFileError as error:
        return Outcome(file, result, error)
