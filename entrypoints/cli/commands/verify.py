"""`transcripts verify`: send a test event through the whole route."""

from typing import TYPE_CHECKING

import click

from bootstrap.transports import is_provisioned_elsewhere
from domain.model.events.kinds import EventKind
from domain.model.route.route import RouteComponent, Verification
from entrypoints.cli.runtime.account import announce_account
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.kinds import kinds_option
from entrypoints.cli.runtime.parameters import timeout_option
from entrypoints.cli.views.output import EXIT_FAILED, console, print_json
from entrypoints.cli.views.route import findings_as_json, joined, print_findings, print_kind
from entrypoints.cli.views.transport import show as show_transport
from entrypoints.cli.views.transport import verification_as_json as transport_as_json

if TYPE_CHECKING:
    from bootstrap.settings import Settings

MIN_AWS_SECONDS = 5.0
"""A test event that should arrive within a second is no reason to expect answers of AWS sooner than usual."""


@click.command("verify")
@timeout_option("Longest wait for the test event; also for an answer of AWS to one call, but at least 5 s.")
@kinds_option("Events whose routes are tested")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(timeout: float, kinds: tuple[EventKind, ...] | None, *, as_json: bool) -> None:
    """Publish a test event, wait for it in the queue, and diagnose the route where it does not arrive.

    The event carries the label urn:batch-transcription:test-event in its envelope's resources, and is deleted
    once it is found. All other messages are put back at once, as copies with a receive count of 0.

    Other transports, such as webhook, are sent the same event; the report ends at the endpoint or broker.
    """
    settings = configure()
    if is_provisioned_elsewhere(settings.event_transport):
        _verify_transport(settings, kinds or settings.event_kinds, as_json=as_json)
        return
    container = build_container(settings, aws_timeout=max(timeout, MIN_AWS_SECONDS))
    announce_account(container, as_json=as_json)
    kinds = kinds or settings.event_kinds
    found: dict[EventKind, Verification] = {}
    for kind in kinds:
        found[kind] = container.routes()[kind].verification().verify(timeout)
        if not as_json:
            print_kind(console(), kind, kinds)
            show(found[kind])
    if as_json:
        print_json(joined({kind: verification_as_json(each) for kind, each in found.items()}))
    if not all(each.ok for each in found.values()):
        raise SystemExit(EXIT_FAILED)


def _verify_transport(settings: "Settings", kinds: tuple[EventKind, ...], *, as_json: bool) -> None:
    """Send a test event of each kind by a transport whose far end others provide."""
    transport, service = settings.event_transport, build_container(settings).transport_verification()
    found = {kind: service.verify(kind) for kind in kinds}
    if as_json:
        print_json(joined({kind: transport_as_json(transport, each) for kind, each in found.items()}))
    else:
        for kind, each in found.items():
            print_kind(console(), kind, kinds)
            show_transport(transport, each)
    if not all(each.ok for each in found.values()):
        raise SystemExit(EXIT_FAILED)


def verification_as_json(verification: Verification) -> dict[str, object]:
    """Convert a verification to JSON."""
    return {
        "ok": verification.ok,
        "test_interaction_id": str(verification.test_interaction_id),
        "arrived": verification.arrived,
        "seconds": round(verification.seconds, 3),
        "messages_seen": verification.messages_seen,
        "findings": findings_as_json(verification.findings),
    }


def show(verification: Verification) -> None:
    """Print a verification as text."""
    out = console()
    out.print(f"Test event {verification.test_interaction_id}", markup=False)
    out.print(_outcome(verification), markup=False)
    print_findings(out, verification.findings)
    out.print("[green]The route works.[/green]" if verification.ok else "[red]Verification failed.[/red]")


def _outcome(verification: Verification) -> str:
    if any(finding.component is RouteComponent.PUBLISH for finding in verification.findings):
        return "was not published"
    outcome = "arrived" if verification.arrived else "did not arrive"
    return f"{outcome} after {verification.seconds:.2f} s; messages looked at: {verification.messages_seen}"
