"""`transcripts provision`: the route of the events."""

import click

from bootstrap.container import build_container
from domain.model.infrastructure import Part, Provisioning
from entrypoints.cli.configuration import configure
from entrypoints.cli.findings import findings_as_json, print_findings
from entrypoints.cli.output import EXIT_FAILED, console, print_json, printable


@click.command("provision")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def command(*, as_json: bool) -> None:
    """Create dead-letter queue, queue, rule and target where they are missing, and check them all.

    What exists is never changed; where it differs from what is wanted, each attribute is named. The event bus
    must be there: one that is missing is most likely a wrong EVENTBRIDGE_BUS_NAME.
    """
    provisioning = build_container(configure()).infrastructure().provision()
    if as_json:
        print_json(provisioning_as_json(provisioning))
    else:
        show(provisioning)
    if not provisioning.ok:
        raise SystemExit(EXIT_FAILED)


def provisioning_as_json(provisioning: Provisioning) -> dict[str, object]:
    """What machines get."""
    return {
        "ok": provisioning.ok,
        "queue_url": provisioning.queue_address,
        "dlq_url": provisioning.dead_letter_queue_address,
        "rule_arn": provisioning.rule_identifier,
        "resources": [_part_as_json(part) for part in provisioning.parts],
        "findings": findings_as_json(provisioning.findings),
    }


def _part_as_json(part: Part) -> dict[str, object]:
    return {
        "resource": part.link.value,
        "name": part.name,
        "status": _status(part),
        "differences": [difference._asdict() for difference in part.differences],
    }


def show(provisioning: Provisioning) -> None:
    """What people get."""
    out = console()
    for part in provisioning.parts:
        out.print(f"{part.link:<17}  {_status(part):<8}  {printable(part.name)}", markup=False)
        for difference in part.differences:
            out.print("  [yellow]differs[/yellow] in", end=" ")
            out.print(printable(difference.attribute), markup=False)
            out.print(f"    wanted: {printable(difference.wanted)}", markup=False)
            out.print(f"    found:  {printable(difference.found)}", markup=False)
    out.print(f"Queue URL  {printable(provisioning.queue_address)}", markup=False)
    out.print(f"DLQ URL    {printable(provisioning.dead_letter_queue_address)}", markup=False)
    out.print(f"Rule ARN   {printable(provisioning.rule_identifier)}", markup=False)
    print_findings(out, provisioning.findings)
    out.print("[green]The route is there.[/green]" if provisioning.ok else "[red]The route is broken.[/red]")


def _status(part: Part) -> str:
    return "created" if part.created else "existing"
