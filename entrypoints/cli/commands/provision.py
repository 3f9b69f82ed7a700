"""`transcripts provision`: create or repair the route of the events."""

from collections.abc import Callable, Mapping

import click
from click.decorators import FC

from bootstrap.operator.templates import RouteTemplate, route_template
from domain.model.events.kinds import EventKind
from domain.model.route.route import ProvisionedResource, ProvisioningReport, RouteComponent
from domain.model.route.status import Action, Inspection, PlannedChange
from entrypoints.cli.runtime.account import announce_account
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.kinds import in_turn, kinds_option
from entrypoints.cli.runtime.parameters import AWS_TIMEOUT, examples
from entrypoints.cli.runtime.provisioning import told_nothing_to_provision
from entrypoints.cli.views.output import EXIT_FAILED, console, print_json, printable
from entrypoints.cli.views.route import (
    FailedKind,
    differences_as_json,
    exit_where_failed,
    failed_as_json,
    findings_as_json,
    joined,
    print_differences,
    print_findings,
    print_kind,
)
from ports.event_infrastructure_port import EventInfrastructurePort

MAX_ARCHIVE_DAYS = 36_500

Routes = Mapping[EventKind, EventInfrastructurePort]


def archive_days_option(meaning: str) -> Callable[[FC], FC]:
    """Build the option `--archive DAYS` with its meaning for the command."""
    return click.option(
        "--archive",
        "archive_days",
        type=click.IntRange(0, MAX_ARCHIVE_DAYS),
        metavar="DAYS",
        help=f"{meaning}; 0 keeps them for good. [default: ARCHIVE_DAYS]",
    )


@click.command(
    "provision",
    epilog=examples(
        "provision --dry-run --repair",
        "provision --archive 30",
        "provision --kinds completed,failed",
        "provision --format cloudformation > route.template.json",
    ),
)
@archive_days_option("Days for which the archive keeps events for replays")
@kinds_option("Events whose routes are provisioned")
@click.option(
    "--repair", is_flag=True, help="Also change resources that differ, after showing a plan and asking."
)
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", is_flag=True, help="Repair without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--format",
    "template",
    type=click.Choice([each.value for each in RouteTemplate]),
    help="Print the route as a template for this tool; calls no AWS API.",
)
@AWS_TIMEOUT
def command(
    archive_days: int | None,
    kinds: tuple[EventKind, ...] | None,
    timeout: float,
    *,
    repair: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    template: str | None,
) -> None:
    """Create missing resources: dead-letter queue, queue, rule and target, or topic; then check the route.

    Existing resources are changed only with --repair; otherwise each attribute that differs is named. A
    repair keeps the additions of others. The event bus must exist: a missing one is most likely a wrong
    EVENTBRIDGE_BUS_NAME. Each kind of event has a route of its own; only that of completed events has an
    archive.
    """
    settings = configure()
    kinds = kinds or settings.event_kinds
    days = settings.archive_days if archive_days is None else archive_days
    if template:
        if repair or dry_run:
            raise click.UsageError("--format only prints: it cannot be combined with --repair or --dry-run.")
        if len(kinds) > 1:
            raise click.UsageError(
                f"--format prints one route: add {' or '.join(f'--kinds {kind}' for kind in kinds)}."
            )
        click.echo(route_template(settings, RouteTemplate(template), archive_days=days, kind=kinds[0]))
        return
    if told_nothing_to_provision(settings, as_json=as_json):
        return
    container = build_container(settings, aws_timeout=timeout)
    announce_account(container, as_json=as_json)
    routes: Routes = {kind: container.routes()[kind].infrastructure() for kind in kinds}
    if dry_run:
        _show_plan(routes, days, repair=repair, as_json=as_json)
        return
    if repair:
        _confirm(routes, days, yes=yes, as_json=as_json)

    def change(kind: EventKind) -> ProvisioningReport:
        route = routes[kind]
        return (route.repair if repair else route.provision)(archive_days=days)

    _print_result(*in_turn(kinds, change), as_json=as_json)


def _show_plan(routes: Routes, days: int | None, *, repair: bool, as_json: bool) -> None:
    plans = {kind: route.inspect(archive_days=days) for kind, route in routes.items()}
    if as_json:
        print_json(joined({kind: _plan_as_json(plan, repair=repair) for kind, plan in plans.items()}))
    else:
        for kind, plan in plans.items():
            print_kind(console(), kind, list(plans))
            show_plan(plan.plan, repair=repair)
            _show_unknown(plan)
    if any(plan.unread for plan in plans.values()):
        raise SystemExit(EXIT_FAILED)


def _show_unknown(inspection: Inspection) -> None:
    for each in inspection.unread:
        console().print(f"not known  {each.component:<17}  {printable(each.problem)}", markup=False)


def _plan_as_json(inspection: Inspection, *, repair: bool) -> dict[str, object]:
    return {
        "ok": not inspection.unread,
        "changes": [_change_as_json(change, repair=repair) for change in inspection.plan],
        "problems": [each.problem for each in inspection.unread],
    }


def _confirm(routes: Routes, days: int | None, *, yes: bool, as_json: bool) -> None:
    """Show the plan of a repair and prompt, unless --yes is given; print no plan with --json."""
    if as_json and not yes:
        raise click.UsageError("--json cannot prompt; add --yes, or see the plan with --dry-run.")
    if as_json:
        return
    plans = {kind: route.inspect(archive_days=days).plan for kind, route in routes.items()}
    for kind, plan in plans.items():
        print_kind(console(), kind, list(plans))
        show_plan(plan, repair=True)
    if any(plans.values()) and not yes:
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
    """Print the plan as text."""
    out = console()
    if not plan:
        out.print("There is nothing to do.")
    for change in plan:
        left = change.action is Action.CHANGE and not repair
        note = "  (only with --repair)" if left else ""
        out.print(f"{change.action:<9}  {change.component:<17}  {printable(change.name)}{note}", markup=False)
        print_differences(out, change.differences)


def _print_result(
    reports: Mapping[EventKind, ProvisioningReport], failed: FailedKind | None, *, as_json: bool
) -> None:
    if as_json:
        done = {kind: provisioning_as_json(report) for kind, report in reports.items()}
        print_json(joined(done | failed_as_json(failed)))
    else:
        kinds = [*reports, failed.kind] if failed else list(reports)
        for kind, report in reports.items():
            print_kind(console(), kind, kinds)
            show(report)
    exit_where_failed(failed)
    if not all(report.ok for report in reports.values()):
        raise SystemExit(EXIT_FAILED)


def provisioning_as_json(provisioning: ProvisioningReport) -> dict[str, object]:
    """Convert the report to JSON."""
    return {
        "ok": provisioning.ok,
        "problem": None,
        "queue_url": provisioning.queue_address,
        "dlq_url": provisioning.dead_letter_queue_address,
        f"{_feed(provisioning)}_arn": provisioning.rule_identifier,
        "resources": [_resource_as_json(resource) for resource in provisioning.resources],
        "findings": findings_as_json(provisioning.findings),
    }


def _feed(provisioning: ProvisioningReport) -> str:
    """Name what sends to the queue: a rule, or a topic of SNS."""
    components = {resource.component for resource in provisioning.resources}
    return "topic" if RouteComponent.TOPIC in components else "rule"


def _resource_as_json(resource: ProvisionedResource) -> dict[str, object]:
    return {
        "resource": resource.component.value,
        "name": resource.name,
        "status": _status(resource),
        "differences": differences_as_json(resource.differences),
        "mended": differences_as_json(resource.mended),
    }


def show(provisioning: ProvisioningReport) -> None:
    """Print the report as text."""
    out = console()
    for resource in provisioning.resources:
        out.print(
            f"{resource.component:<17}  {_status(resource):<8}  {printable(resource.name)}", markup=False
        )
        print_differences(out, resource.differences)
    out.print(f"Queue URL  {printable(provisioning.queue_address)}", markup=False)
    out.print(f"DLQ URL    {printable(provisioning.dead_letter_queue_address)}", markup=False)
    feed = f"{_feed(provisioning).title()} ARN"
    out.print(f"{feed:<9}  {printable(provisioning.rule_identifier)}", markup=False)
    print_findings(out, provisioning.findings)
    out.print("[green]The route is there.[/green]" if provisioning.ok else "[red]The route is broken.[/red]")


def _status(resource: ProvisionedResource) -> str:
    if resource.created:
        return "created"
    return "mended" if resource.mended else "existing"
