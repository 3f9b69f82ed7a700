"""How what is wrong with the route is told, to people and to machines."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from domain.model.route.route import Finding
from entrypoints.cli.views.output import printable

if TYPE_CHECKING:
    from rich.console import Console


def findings_as_json(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Each finding with the keys `link`, `problem`, `evidence`, `remedy` and `proven`."""
    return [{**finding._asdict(), "link": finding.link.value} for finding in findings]


def print_findings(out: "Console", findings: Iterable[Finding]) -> None:
    """One paragraph a finding; what stands in it came from AWS, and is escaped."""
    for finding in findings:
        out.print("[red]BROKEN[/red]" if finding.proven else "[yellow]UNSURE[/yellow]", end=" ")
        out.print(f"{finding.link}: {printable(finding.problem)}", markup=False)
        out.print(f"  seen: {printable(finding.evidence)}", markup=False)
        out.print(f"  do:   {printable(finding.remedy)}", markup=False)
