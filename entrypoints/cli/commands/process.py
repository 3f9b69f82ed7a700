"""`transcripts process`: the main job without HTTP."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import click

from domain.model.errors import InvalidIdentityError, TranscriptionServiceError
from domain.model.events.event import PublicationStatus
from domain.model.identity import ACCOUNT_HEADER, TENANT_HEADER, USER_HEADER, resolve_identity, uuid4_or_none
from domain.model.transcripts import Channels, Tracks, TranscriptionOptions
from entrypoints.cli.runtime.account import print_place
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import PathTo, examples
from entrypoints.cli.views.output import EXIT_FAILED, console, print_json, printable
from ports.transcriber_port import Progress, ProgressListener

if TYPE_CHECKING:
    from rich.progress import Progress as ProgressBars
    from rich.progress import TaskID

    from bootstrap.aws.account import AwsPlace
    from bootstrap.container import Container
    from bootstrap.settings import Settings
    from domain.services.batch_processing import BatchResult


class _Outcome(NamedTuple):
    file: Path
    result: "BatchResult | None"
    error: TranscriptionServiceError | None

    @property
    def ok(self) -> bool:
        """The transcript is there, and its event is not lost."""
        return self.result is not None and self.result.publication.status is not PublicationStatus.FAILED


@click.command(
    "process",
    epilog=examples(
        "process meeting.ogg",
        "process call.wav --channels separate",
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
@click.option(
    "--channels",
    type=click.Choice(Channels, case_sensitive=False),
    default=Channels.MIXED,
    help="Mix the channels, or transcribe each by itself. [default: mixed]",
)
@click.option(
    "--tracks",
    type=click.Choice(Tracks, case_sensitive=False),
    default=Tracks.ONE,
    help="Transcribe one sound track (the default one, else the first with sound), or each. [default: one]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def command(
    files: tuple[Path, ...],
    tenant: str | None,
    user: str | None,
    account: str | None,
    channels: Channels,
    tracks: Tracks,
    *,
    as_json: bool,
) -> None:
    """Transcribe FILES, as many at a time as there are workers, and publish an event for each."""
    settings = configure()
    workers = min(len(files), settings.transcriber_workers)
    container = build_container(settings.model_copy(update={"transcriber_workers": workers}))
    headers = _identity(settings, tenant, user, account)
    options = TranscriptionOptions(channels=channels, tracks=tracks)
    outcomes, place = asyncio.run(_process_all(container, files, headers, options))
    if place is not None:
        print_place(place, as_json=as_json)
    if as_json:
        print_json({"results": [_as_json(outcome) for outcome in outcomes]})
    else:
        _show(outcomes)
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
    container: "Container", files: tuple[Path, ...], headers: dict[str, str], options: TranscriptionOptions
) -> "tuple[list[_Outcome], AwsPlace | None]":
    from bootstrap.runtime.relay import relaying  # noqa: PLC0415 - slow to import

    transcriber = container.transcriber()
    slots = asyncio.Semaphore(container.settings().transcriber_workers)
    bars = _progress_bars()

    async def process(file: Path) -> _Outcome:
        async with slots:
            return await _process(container, file, headers, options, _listener(bars, file))

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


async def _process(
    container: "Container",
    file: Path,
    headers: dict[str, str],
    options: TranscriptionOptions,
    on_progress: ProgressListener,
) -> _Outcome:
    import structlog  # noqa: PLC0415 - slow to import

    interaction_id = uuid4()
    identity = resolve_identity(headers, container.settings().identity_defaults)
    with structlog.contextvars.bound_contextvars(interaction_id=str(interaction_id)):
        try:
            result = await container.batch_processing().process(
                file, identity, interaction_id, options=options, on_progress=on_progress
            )
        except TranscriptionServiceError as error:
            return _Outcome(file, None, error)
    return _Outcome(file, result, None)


def _as_json(outcome: _Outcome) -> dict[str, object]:
    if outcome.result is None:
        error = outcome.error
        return {"file": str(outcome.file), "error": {"type": type(error).__name__, "detail": str(error)}}
    from entrypoints.api.schemas import BatchResponse  # noqa: PLC0415 - one shape for both doors

    return {"file": str(outcome.file), **BatchResponse.of(outcome.result).model_dump(mode="json")}


def _show(outcomes: list[_Outcome]) -> None:
    out = console()
    for outcome in outcomes:
        out.print(printable(str(outcome.file)), style="bold", markup=False)
        if outcome.result is None:
            out.print(f"  [red]{type(outcome.error).__name__}[/red]", end=" ")
            out.print(printable(str(outcome.error)), markup=False)
            continue
        publication = outcome.result.publication
        out.print(f"  {printable(outcome.result.cleaned_transcript) or '(no speech)'}", markup=False)
        out.print(f"  event {publication.status} {publication.event_id or ''}", style="dim", markup=False)
        for warning in outcome.result.warnings:
            out.print(f"  warning: {printable(warning.detail)}", style="yellow", markup=False)
