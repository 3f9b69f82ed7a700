"""Names of the transports of events: those built in, and those of installed packages (docs/transports.md)."""

from difflib import get_close_matches
from importlib.metadata import entry_points

from bootstrap.choices import EventTransport

GROUP = "batch_transcription.transports"
"""Group of the entry points by which packages provide transports; each has the name of its transport."""

WITHOUT_BUS = frozenset({EventTransport.MEMORY, EventTransport.NOOP})
"""Transports that send no event to another system."""

ON_AWS = frozenset({EventTransport.EVENTBRIDGE, EventTransport.SNS})
"""Transports whose route this service provisions, with credentials of AWS."""


def provided_names() -> tuple[str, ...]:
    """Return the names of the transports that installed packages provide, in alphabetical order."""
    return tuple(sorted(entry_points(group=GROUP).names))


def transport_name(value: object) -> object:
    """Read the name of a transport; capital and small letters are the same.

    Raises:
        ValueError: there is no transport of that name; the message lists the names.
    """
    if not isinstance(value, str):
        return value
    name = value.lower()
    if name in set(EventTransport) or name in (provided := provided_names()):
        return name
    names = (*EventTransport, *provided)
    nearest = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" (did you mean '{nearest[0]}'?)" if nearest else ""
    raise ValueError(f"is not one of {', '.join(names)}{hint}")


def has_bus(transport: str) -> bool:
    """Tell if a transport sends events to another system, so that outbox and relay have work."""
    return transport not in WITHOUT_BUS


def is_on_aws(transport: str) -> bool:
    """Tell if the transport has a route on AWS, which this service provisions and checks."""
    return transport in ON_AWS


def is_provisioned_elsewhere(transport: str) -> bool:
    """Tell if others provide the far end of the transport; `auto` becomes one on AWS, or none."""
    return transport != EventTransport.AUTO and has_bus(transport) and not is_on_aws(transport)
