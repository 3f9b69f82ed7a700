"""Views of the verification of a transport: lines of text, and JSON; texts from outside are escaped."""

from domain.model.route.probe import TransportVerification
from entrypoints.cli.views.output import console, printable
from entrypoints.cli.views.route import findings_as_json, print_findings


def verification_as_json(transport: str, verification: TransportVerification) -> dict[str, object]:
    """Convert a verification to JSON."""
    report = verification.report
    return {
        "ok": verification.ok,
        "transport": transport,
        "test_interaction_id": str(verification.test_interaction_id),
        "accepted": verification.ok,
        "seconds": round(verification.seconds, 3),
        "observations": [observation._asdict() for observation in report.observations],
        "findings": findings_as_json(report.findings),
    }


def show(transport: str, verification: TransportVerification) -> None:
    """Print a verification as text."""
    out, report = console(), verification.report
    out.print(f"Test event {verification.test_interaction_id} to {printable(transport)}", markup=False)
    for step, found in report.observations:
        out.print(f"{step:<9}  {printable(found)}", markup=False)
    outcome = "accepted" if verification.ok else "not accepted"
    out.print(f"{outcome} after {verification.seconds:.2f} s", markup=False)
    print_findings(out, report.findings)
    out.print("[green]The transport works.[/green]" if verification.ok else "[red]Verification failed.[/red]")
