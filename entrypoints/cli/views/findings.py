"""Views of route findings: lines of text, and JSON."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from domain.model.route.route import Finding
from entrypoints.cli.views.output import printable

if TYPE_CHECKING:
    from rich.console import Console


def findings_as_json(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Convert each finding to the keys `link`, `problem`, `evidence`, `remedy` and `proven`."""
    return [_as_json(finding) for finding in findings]


def print_findings(out: "Console", findings: Iterable[Finding]) -> None:
    """Print one paragraph for each finding; its texts come from AWS, so they are escaped."""
    for finding in findings:
        out.print("[red]BROKEN[/red]" if finding.proven else "[yellow]UNSURE[/yellow]", end=" ")
        out.print(f"{finding.component}: {printable(finding.problem)}", markup=False)
        out.print(f"  seen: {printable(finding.evidence)}", markup=False)
        out.print(f"  do:   {printable(finding.remedy)}", markup=False)


def _as_json(finding: Finding) -> dict[str, object]:
    fields = finding._asdict()
    return {"link": fields.pop("component").value, **fields}
