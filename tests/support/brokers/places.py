"""Places for events on brokers: where a transport publishes, and a consumer that reads them all."""

import json
from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from domain.model.events.sent import sent_event
from tests.contracts.event_port import Arrival


class EventPlace(Protocol):
    """Stream, queue or topic of a broker, on a server that a test can stop and start again."""

    transport: str
    """Name of the transport: EVENT_TRANSPORT."""
    environ: dict[str, str]
    """Variables of the transport."""
    elsewhere: dict[str, str]
    """Variables of a place that does not exist on this server."""
    unreachable: dict[str, str]
    """Variables of a server that does not run."""

    @abstractmethod
    def bodies(self, at_least: int = 0) -> list[bytes]:
        """Return all messages of the place, in their order, once there are so many."""
        ...

    @abstractmethod
    def start(self) -> None:
        """Start the server, and wait until it takes events."""
        ...

    @abstractmethod
    def stop(self) -> None:
        """End the server; what it has stored survives, if it has a disk."""
        ...


def arrivals(bodies: Sequence[bytes]) -> list[Arrival]:
    """Read messages as a consumer does."""
    documents = [json.loads(body) for body in bodies]
    return [
        Arrival(sent_event(json.dumps(each["data"])), tuple(each.get("labels", "").split()))
        for each in documents
    ]


def traceparents(bodies: Sequence[bytes]) -> list[str | None]:
    """Return the trace contexts of messages."""
    return [json.loads(body).get("traceparent") for body in bodies]


def stored_ids(bodies: Sequence[bytes]) -> list[str]:
    """Return the ids of messages."""
    return [json.loads(body)["id"] for body in bodies]
