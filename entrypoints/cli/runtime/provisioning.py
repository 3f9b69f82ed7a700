"""Transports whose far end others provision: what commands about the route say of them."""

from typing import TYPE_CHECKING

from bootstrap.transports import is_provisioned_elsewhere
from entrypoints.cli.views.output import console, print_json

if TYPE_CHECKING:
    from bootstrap.settings import Settings


def nothing_to_provision(settings: "Settings") -> str | None:
    """Return a line for a transport that has no route on AWS; None for any other."""
    transport = settings.event_transport
    if not is_provisioned_elsewhere(transport):
        return None
    return (
        f"EVENT_TRANSPORT={transport}: there is nothing to provision here; "
        "`transcripts verify` sends a test event."
    )


def told_nothing_to_provision(settings: "Settings", *, as_json: bool) -> bool:
    """Print that line, or one JSON object, where it applies; False where there is a route."""
    note = nothing_to_provision(settings)
    if note is None:
        return False
    if as_json:
        print_json({"ok": True, "transport": str(settings.event_transport), "note": note})
    else:
        console().print(note, markup=False)
    return True
