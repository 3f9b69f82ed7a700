"""`transcripts status`: the status of the route, its queues, the outbox and the jobs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from domain.model.errors import InfrastructureError, TranscriptionServiceError
from domain.model.events.kinds import EventKind
from domain.model.jobs import JobCounts
from domain.model.outbox import OutboxCounts
from domain.model.route.status import Inspection, QueueLoad, ResourceStatus
from entrypoints.cli.commands.provision import archive_days_option
from entrypoints.cli.runtime.account import announce_account
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.kinds import kinds_option
from entrypoints.cli.runtime.parameters import AWS_TIMEOUT
from entrypoints.cli.runtime.provisioning import nothing_to_provision
from entrypoints.cli.views.jobs import counts_as_line as jobs_as_line
from entrypoints.cli.views.outbox import age, counts_as_line
from entrypoints.cli.views.output import EXIT_FAILED, console, print_json, printable
from entrypoints.cli.views.route import differences_as_json, joined, print_differences, print_kind

if TYPE_CHECKING:
    from rich.console import Console

    from bootstrap.container import Container
    from ports.event_infrastructure_port import EventInfrastructurePort


@click.command("status")
@archive_days_option("Days that the archive should keep events")
@kinds_option("Events whose routes are shown")
@AWS_TIMEOUT
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    archive_days: int | None, kinds: tuple[EventKind, ...] | None, timeout: float, *, as_json: bool
) -> None:
    """Show outbox and jobs, which resources of the route exist, their drift, and the messages in the queues.

    Changes nothing and receives no message. Exits 1 where a resource is missing, differs or cannot be read;
    `transcripts provision --repair` creates and corrects resources. Outbox and jobs are shown in all cases.
    """
    settings = configure()
    days = settings.archive_days if archive_days is None else archive_days
    container = build_container(settings, aws_timeout=timeout)
    outbox, jobs = _counts(container)
    if not as_json:
        show_counts(outbox, jobs)
    if note := nothing_to_provision(settings):
        _tell_no_route(note, settings.event_transport, outbox, jobs, as_json=as_json)
        return
    announce_account(container, as_json=as_json)
    routes = {
        kind: _route(container.routes()[kind].infrastructure(), days)
        for kind in kinds or settings.event_kinds
    }
    if as_json:
        print_json(status_as_json(routes, outbox, jobs))
    else:
        for kind, route in routes.items():
            print_kind(console(), kind, list(routes))
            show_route(route)
    if not all(map(_is_sound, routes.values())):
        raise SystemExit(EXIT_FAILED)


def _tell_no_route(
    note: str, transport: str, outbox: OutboxCounts | str, jobs: JobCounts | str, *, as_json: bool
) -> None:
    if as_json:
        route = {"ok": True, "transport": transport, "note": note}
        print_json({**route, "outbox": _counts_as_json(outbox), "jobs": _counts_as_json(jobs)})
    else:
        console().print(note, markup=False)


def _route(infrastructure: "EventInfrastructurePort", archive_days: int | None) -> Inspection | str:
    """Return the route, or the reason why it could not be inspected."""
    try:
        return infrastructure.inspect(archive_days=archive_days)
    except InfrastructureError as error:
        return str(error)


def _counts(container: "Container") -> tuple[OutboxCounts | str, JobCounts | str]:
    """Return the counts of outbox and jobs, or the reason why they are not known."""
    from bootstrap.runtime.outbox import counts_as_they_are  # noqa: PLC0415 - slow to import

    try:
        return counts_as_they_are(container.settings().database_url)
    except TranscriptionServiceError as error:
        return str(error), str(error)


def status_as_json(
    routes: Mapping[EventKind, Inspection | str], outbox: OutboxCounts | str, jobs: JobCounts | str
) -> dict[str, object]:
    """Convert the status to JSON; `problem` is the reason why a route could not be inspected."""
    counts = {"outbox": _counts_as_json(outbox), "jobs": _counts_as_json(jobs)}
    return {**joined({kind: _route_as_json(route) for kind, route in routes.items()}), **counts}


def _route_as_json(route: Inspection | str) -> dict[str, object]:
    if isinstance(route, str):
        return {"ok": False, "problem": route, "resources": [], "other_targets": []}
    return {
        "ok": route.ok,
        "problem": None,
        "resources": [_resource_as_json(resource) for resource in route.resources],
        "other_targets": list(route.other_targets),
    }


def _counts_as_json(counts: OutboxCounts | JobCounts | str) -> dict[str, object]:
    return {"problem": counts} if isinstance(counts, str) else counts._asdict()


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


def show_counts(outbox: OutboxCounts | str, jobs: JobCounts | str) -> None:
    """Print the counts of outbox and jobs."""
    out = console()
    out.print(f"{'outbox':<17}  {_counts_text(outbox)}", markup=False)
    out.print(f"{'jobs':<17}  {'not known' if jobs == outbox else _counts_text(jobs)}", markup=False)


def show_route(route: Inspection | str) -> None:
    """Print one line for each resource, followed by its differences."""
    out = console()
    if isinstance(route, str):
        out.print(f"{'route':<17}  not known: {printable(route)}", markup=False)
    else:
        _show_resources(out, route)
    verdict = "[red]The route is not known to be as it should be.[/red]"
    out.print("[green]The route is as it should be.[/green]" if _is_sound(route) else verdict)


def _is_sound(route: Inspection | str) -> bool:
    return isinstance(route, Inspection) and route.ok


def _show_resources(out: "Console", inspection: Inspection) -> None:
    for resource in inspection.resources:
        _show_resource(out, resource)
    for target in inspection.other_targets:
        out.print(f"{'other target':<17}  added by others  {printable(target)}", markup=False)


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


def _counts_text(counts: OutboxCounts | JobCounts | str) -> str:
    if isinstance(counts, str):
        return f"not known: {printable(counts)}"
    return counts_as_line(counts) if isinstance(counts, OutboxCounts) else jobs_as_line(counts)
