"""`transcripts status`: how the route stands, what waits on it, and what waits for it."""

from typing import TYPE_CHECKING

import click

from domain.model.errors import TranscriptionServiceError
from domain.model.outbox import OutboxCounts
from domain.model.route.status import Inspection, QueueLoad, ResourceStatus
from entrypoints.cli.commands.provision import archive_days_option
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.views.drift import differences_as_json, print_differences
from entrypoints.cli.views.outbox import age
from entrypoints.cli.views.output import EXIT_FAILED, console, print_json, printable

if TYPE_CHECKING:
    from rich.console import Console

    from bootstrap.container import Container


@click.command("status")
@archive_days_option("Days that the archive should keep events")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def command(archive_days: int | None, *, as_json: bool) -> None:
    """Say what exists of the route, what differs from what should be, and what waits in queues and outbox.

    Changes nothing and receives no message. Exits 1 where a part is missing, differs, or could not be looked
    at; `transcripts provision --repair` mends that.
    """
    settings = configure()
    days = settings.archive_days if archive_days is None else archive_days
    container = build_container(settings)
    inspection = container.infrastructure().inspect(archive_days=days)
    outbox = _outbox(container)
    if as_json:
        print_json(status_as_json(inspection, outbox))
    else:
        show(inspection, outbox)
    if not inspection.ok:
        raise SystemExit(EXIT_FAILED)


def _outbox(container: "Container") -> OutboxCounts | str:
    """The counts, or why they are not known."""
    from bootstrap.runtime.outbox import counts_as_they_are  # noqa: PLC0415 - slow to import

    try:
        return counts_as_they_are(container.settings().database_url)
    except TranscriptionServiceError as error:
        return str(error)


def status_as_json(inspection: Inspection, outbox: OutboxCounts | str) -> dict[str, object]:
    """What machines get."""
    return {
        "ok": inspection.ok,
        "resources": [_part_as_json(part) for part in inspection.parts],
        "other_targets": list(inspection.other_targets),
        "outbox": {"problem": outbox} if isinstance(outbox, str) else outbox._asdict(),
    }


def _part_as_json(part: ResourceStatus) -> dict[str, object]:
    return {
        "resource": part.component.value,
        "name": part.name,
        "exists": part.exists,
        "ok": part.ok,
        "state": part.state or None,
        "differences": differences_as_json(part.differences),
        "problem": part.problem or None,
        "load": None if part.load is None else part.load._asdict(),
    }


def show(inspection: Inspection, outbox: OutboxCounts | str) -> None:
    """What people get: a line a part, and what differs below it."""
    out = console()
    for part in inspection.parts:
        _show_part(out, part)
    for target in inspection.other_targets:
        out.print(f"{'other target':<17}  added by others  {printable(target)}", markup=False)
    out.print(f"{'outbox':<17}  {_outbox_text(outbox)}", markup=False)
    verdict = "[green]The route is as it should be.[/green]"
    out.print(verdict if inspection.ok else "[red]The route is not known to be as it should be.[/red]")


def _show_part(out: "Console", part: ResourceStatus) -> None:
    out.print(f"{part.component:<17}  {_word(part):<9}  {printable(part.name)}", markup=False)
    if part.state:
        out.print(f"  {printable(part.state)}", markup=False)
    if part.load is not None:
        out.print(f"  {_load_text(part.load)}", markup=False)
    if part.problem:
        out.print(f"  {printable(part.problem)}", markup=False)
    print_differences(out, part.differences)


def _word(part: ResourceStatus) -> str:
    if part.exists is None:
        return "not known"
    if not part.exists:
        return "missing" if part.expected else "none"
    return "differs" if part.drift else "ok"


def _load_text(load: QueueLoad) -> str:
    counts = f"{load.waiting} waiting, {load.in_flight} in flight"
    if load.is_empty:
        return counts
    if load.oldest_seconds is None:
        return f"{counts}; age of the oldest not known: {printable(load.not_known_because)}"
    return f"{counts}; the oldest is {age(load.oldest_seconds)} old"


def _outbox_text(outbox: OutboxCounts | str) -> str:
    if isinstance(outbox, str):
        return f"not known: {printable(outbox)}"
    oldest = f" (the oldest for {age(outbox.oldest_waiting_seconds)})" if outbox.waiting else ""
    return f"{outbox.waiting} waiting{oldest}, {outbox.rejected} rejected, {outbox.published} published"
