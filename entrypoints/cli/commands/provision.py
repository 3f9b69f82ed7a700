"""`transcripts provision`: the route of the events."""

from collections.abc import Callable

import click
from click.decorators import FC

from bootstrap.operator.templates import RouteTemplate, route_template
from domain.model.route.route import ProvisionedResource, ProvisioningReport
from domain.model.route.status import Action, PlannedChange
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import examples
from entrypoints.cli.views.drift import differences_as_json, print_differences
from entrypoints.cli.views.findings import findings_as_json, print_findings
from entrypoints.cli.views.output import EXIT_FAILED, console, print_json, printable
from ports.event_infrastructure_port import EventInfrastructurePort

MAX_ARCHIVE_DAYS = 36_500


def archive_days_option(meaning: str) -> Callable[[FC], FC]:
    """`--archive DAYS`, and what it means to the command."""
    return click.option(
        "--archive",
        "archive_days",
        type=click.IntRange(0, MAX_ARCHIVE_DAYS),
        metavar="DAYS",
        help=f"{meaning}; 0 for good. [default: ARCHIVE_DAYS]",
    )


@click.command(
    "provision",
    epilog=examples(
        "provision --dry-run --repair",
        "provision --archive 30",
        "provision --format cloudformation > route.template.json",
    ),
)
@archive_days_option("Days for which events are kept for replays")
@click.option(
    "--repair", is_flag=True, help="PlannedChange what differs, too, after showing a plan and asking."
)
@click.option("--dry-run", is_flag=True, help="Show the plan, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before a repair.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@click.option(
    "--format",
    "template",
    type=click.Choice([each.value for each in RouteTemplate]),
    help="Print the route as a template for a tool of yours, and do nothing; asks AWS nothing.",
)
def command(
    archive_days: int | None,
    *,
    repair: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    template: str | None,
) -> None:
    """Create dead-letter queue, queue, rule and target where they are missing, and check them all.

    What exists is never changed, unless --repair is given; where it differs from what is wanted, each
    attribute is named. A repair changes what is ours and keeps what others have added. The event bus must be
    there: one that is missing is most likely a wrong EVENTBRIDGE_BUS_NAME.
    """
    settings = configure()
    days = settings.archive_days if archive_days is None else archive_days
    if template:
        _require_alone(repair=repair, dry_run=dry_run)
        click.echo(route_template(settings, RouteTemplate(template), archive_days=days))
        return
    infrastructure = build_container(settings).infrastructure()
    if dry_run:
        _show_plan(infrastructure, days, repair=repair, as_json=as_json)
        return
    if repair:
        _confirm(infrastructure, days, yes=yes, as_json=as_json)
    act = infrastructure.repair if repair else infrastructure.provision
    _tell(act(archive_days=days), as_json=as_json)


def _require_alone(*, repair: bool, dry_run: bool) -> None:
    if repair or dry_run:
        raise click.UsageError("--format only prints: it goes with neither --repair nor --dry-run.")


def _show_plan(
    infrastructure: EventInfrastructurePort, days: int | None, *, repair: bool, as_json: bool
) -> None:
    inspection = infrastructure.inspect(archive_days=days)
    unknown = [part for part in inspection.parts if part.problem and part.expected]
    if as_json:
        changes = [_change_as_json(change, repair=repair) for change in inspection.plan]
        problems = [part.problem for part in unknown]
        print_json({"ok": not unknown, "changes": changes, "problems": problems})
    else:
        show_plan(inspection.plan, repair=repair)
        for part in unknown:
            console().print(f"not known  {part.component:<17}  {printable(part.problem)}", markup=False)
    if unknown:
        raise SystemExit(EXIT_FAILED)


def _confirm(infrastructure: EventInfrastructurePort, days: int | None, *, yes: bool, as_json: bool) -> None:
    """Show what a repair does and ask, unless told not to; machines do not read plans on their way."""
    if as_json and not yes:
        raise click.UsageError("--json does not ask: add --yes, or see the plan with --dry-run.")
    if as_json:
        return
    plan = infrastructure.inspect(archive_days=days).plan
    show_plan(plan, repair=True)
    if plan and not yes:
        click.confirm("Do this?", abort=True)


def _change_as_json(change: PlannedChange, *, repair: bool) -> dict[str, object]:
    return {
        "action": change.action.value,
        "resource": change.component.value,
        "name": change.name,
        "only_with_repair": change.action is Action.CHANGE and not repair,
        "differences": differences_as_json(change.differences),
    }


def show_plan(plan: tuple[PlannedChange, ...], *, repair: bool) -> None:
    """What people get to read before anything is done."""
    out = console()
    if not plan:
        out.print("There is nothing to do.")
    for change in plan:
        left = change.action is Action.CHANGE and not repair
        note = "  (only with --repair)" if left else ""
        out.print(f"{change.action:<9}  {change.component:<17}  {printable(change.name)}{note}", markup=False)
        print_differences(out, change.differences)


def _tell(provisioning: ProvisioningReport, *, as_json: bool) -> None:
    if as_json:
        print_json(provisioning_as_json(provisioning))
    else:
        show(provisioning)
    if not provisioning.ok:
        raise SystemExit(EXIT_FAILED)


def provisioning_as_json(provisioning: ProvisioningReport) -> dict[str, object]:
    """What machines get."""
    return {
        "ok": provisioning.ok,
        "queue_url": provisioning.queue_address,
        "dlq_url": provisioning.dead_letter_queue_address,
        "rule_arn": provisioning.rule_identifier,
        "resources": [_part_as_json(part) for part in provisioning.parts],
        "findings": findings_as_json(provisioning.findings),
    }


def _part_as_json(part: ProvisionedResource) -> dict[str, object]:
    return {
        "resource": part.component.value,
        "name": part.name,
        "status": _status(part),
        "differences": differences_as_json(part.differences),
        "mended": differences_as_json(part.mended),
    }


def show(provisioning: ProvisioningReport) -> None:
    """What people get."""
    out = console()
    for part in provisioning.parts:
        out.print(f"{part.component:<17}  {_status(part):<8}  {printable(part.name)}", markup=False)
        print_differences(out, part.differences)
    out.print(f"Queue URL  {printable(provisioning.queue_address)}", markup=False)
    out.print(f"DLQ URL    {printable(provisioning.dead_letter_queue_address)}", markup=False)
    out.print(f"Rule ARN   {printable(provisioning.rule_identifier)}", markup=False)
    print_findings(out, provisioning.findings)
    out.print("[green]The route is there.[/green]" if provisioning.ok else "[red]The route is broken.[/red]")


def _status(part: ProvisionedResource) -> str:
    if part.created:
        return "created"
    return "mended" if part.mended else "existing"
