"""`transcripts status`: the status of the route, its queues and the outbox."""

from typing import TYPE_CHECKING

import click

from domain.model.errors import TranscriptionServiceError
from domain.model.outbox import OutboxCounts
from domain.model.route.status import Inspection, QueueLoad, ResourceStatus
from entrypoints.cli.commands.provision import archive_days_option
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.views.outbox import age, counts_as_line
from entrypoints.cli.views.output import EXIT_FAILED, console, print_json, printable
from entrypoints.cli.views.route import differences_as_json, print_differences

if TYPE_CHECKING:
    from rich.console import Console

    from bootstrap.container import Container


@click.command("status")
@archive_days_option("Days that the archive should keep events")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(archive_days: int | None, *, as_json: bool) -> None:
    """Show which resources of the route exist, their drift, and the messages in queues and outbox.

    Changes nothing and receives no message. Exits 1 where a resource is missing, differs or cannot be read;
    `transcripts provision --repair` creates and corrects resources.
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
    """Return the counts, or the reason why they are not known."""
    from bootstrap.runtime.outbox import counts_as_they_are  # noqa: PLC0415 - slow to import

    try:
        return counts_as_they_are(container.settings().database_url)
    except TranscriptionServiceError as error:
        return str(error)


def status_as_json(inspection: Inspection, outbox: OutboxCounts | str) -> dict[str, object]:
    """Convert the status to JSON."""
    return {
        "ok": inspection.ok,
        "resources": [_resource_as_json(resource) for resource in inspection.resources],
        "other_targets": list(inspection.other_targets),
        "outbox": {"problem": outbox} if isinstance(outbox, str) else outbox._asdict(),
    }


def _resource_as_json(resource: ResourceStatus) -> dict[str, object]:
    return {
        "resource": resource.component.value,
        "name": resource.name,
        "exists": resource.exists,
        "ok": resource.ok,
        "state": resource.state or None,
        "differences": differences_as_json(resource.differences),
        "problem": resource.problem or None,
        "load": None if resource.load is None else resource.load._asdict(),
    }


def show(inspection: Inspection, outbox: OutboxCounts | str) -> None:
    """Print one line for each resource, followed by its differences."""
    out = console()
    for resource in inspection.resources:
        _show_resource(out, resource)
    for target in inspection.other_targets:
        out.print(f"{'other target':<17}  added by others  {printable(target)}", markup=False)
    out.print(f"{'outbox':<17}  {_outbox_text(outbox)}", markup=False)
    verdict = "[green]The route is as it should be.[/green]"
    out.print(verdict if inspection.ok else "[red]The route is not known to be as it should be.[/red]")


def _show_resource(out: "Console", resource: ResourceStatus) -> None:
    out.print(f"{resource.component:<17}  {_word(resource):<9}  {printable(resource.name)}", markup=False)
    if resource.state:
        out.print(f"  {printable(resource.state)}", markup=False)
    if resource.load is not None:
        out.print(f"  {_load_text(resource.load)}", markup=False)
    if resource.problem:
        out.print(f"  {printable(resource.problem)}", markup=False)
    print_differences(out, resource.differences)


def _word(resource: ResourceStatus) -> str:
    if resource.exists is None:
        return "not known"
    if not resource.exists:
        return "missing" if resource.expected else "none"
    return "differs" if resource.drift else "ok"


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
    return counts_as_line(outbox)
