"""`transcripts teardown`: remove the route."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from domain.model.events.kinds import EventKind
from domain.model.route.route import RouteNames
from domain.model.route.status import RemovalOutcome, RemovedResource
from entrypoints.cli.runtime.account import announce_account
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.kinds import in_turn, kinds_option
from entrypoints.cli.runtime.parameters import AWS_TIMEOUT
from entrypoints.cli.runtime.provisioning import told_nothing_to_provision
from entrypoints.cli.views.output import confirm, console, print_json, printable
from entrypoints.cli.views.route import exit_where_failed, failed_as_json, joined, print_kind

if TYPE_CHECKING:
    from ports.event_infrastructure_port import EventInfrastructurePort


@click.command("teardown")
@click.option("--force", is_flag=True, help="Remove the queues even with messages in them, which are lost.")
@click.option("--archive", is_flag=True, help="Also remove the archive with every event in it.")
@kinds_option("Events whose routes are removed")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@AWS_TIMEOUT
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    kinds: tuple[EventKind, ...] | None,
    timeout: float,
    *,
    force: bool,
    archive: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove target, rule, queue and dead-letter queue, in this order, and print the result of each.

    Refuses while one of the queues holds messages. The bus stays, and so does the archive unless --archive is
    given. With EVENT_TRANSPORT=sns, subscription and topic go first; a topic with other subscribers stays.
    Several kinds are removed one after the other; the first that fails ends the command.
    Until the route is provisioned again, the service keeps its events.
    """
    settings = configure()
    if told_nothing_to_provision(settings, as_json=as_json):
        return
    container = build_container(settings, aws_timeout=timeout)
    announce_account(container, as_json=as_json)
    kinds = kinds or settings.event_kinds
    if not yes:
        names = [container.routes()[kind].names() for kind in kinds]
        questions = [_question(each, force=force, archive=archive, is_sns=settings.is_sns) for each in names]
        confirm(" ".join(questions), as_json=as_json)

    def remove(kind: EventKind) -> Sequence[RemovedResource]:
        route: EventInfrastructurePort = container.routes()[kind].infrastructure()
        removed = route.remove(force=force, archive=archive)
        if not as_json:
            print_kind(console(), kind, kinds)
            show(removed)
        return removed

    removed, failed = in_turn(kinds, remove)
    if as_json:
        print_json(
            joined({kind: _route_as_json(each) for kind, each in removed.items()} | failed_as_json(failed))
        )
    exit_where_failed(failed)


def _question(names: RouteNames, *, force: bool, archive: bool, is_sns: bool) -> str:
    feed = f"topic {names.topic}" if is_sns else f"rule {names.rule} of the bus {names.bus}"
    what = f"{feed}, queues {names.queue} and {names.dead_letter_queue}"
    if archive and names.archive:
        what += f", the archive {names.archive} with every event in it"
    messages = ", with the messages in them" if force else ""
    return f"Remove {what}{messages}?"


def _route_as_json(removals: Sequence[RemovedResource]) -> dict[str, object]:
    return {"ok": True, "problem": None, "resources": list(map(_as_json, removals))}


def _as_json(removal: RemovedResource) -> dict[str, object]:
    return {
        "resource": removal.component.value,
        "name": removal.name,
        "status": removal.outcome.value,
        "reason": removal.reason or None,
    }


def show(removals: Sequence[RemovedResource]) -> None:
    """Print one line for each resource."""
    out = console()
    for removal in removals:
        reason = f"  ({printable(removal.reason)})" if removal.outcome is RemovalOutcome.LEFT else ""
        out.print(
            f"{removal.component:<17}  {removal.outcome:<8}  {printable(removal.name)}{reason}", markup=False
        )
