"""Events as messages of a broker: a CloudEvent, with some of its attributes as headers."""

from collections.abc import Sequence
from typing import NamedTuple

from domain.model.events.cloud_event import CONTENT_TYPE, cloud_event, cloud_event_id
from domain.model.events.sent import SentEvent
from ports.event_port import Traceparents, contexts_for

CALL = 100
"""Most messages of one call. Brokers take them one by one; fewer calls are fewer hand-overs of threads."""


class BrokerMessage(NamedTuple):
    """Message of one event."""

    id: str
    """Id of the CloudEvent, the same for ever: consumers recognise duplicates by it."""
    type: str
    """Detail type of the event."""
    tenant: str
    body: bytes
    """CloudEvent as JSON."""
    headers: dict[str, str]
    """Labels and trace context, readable without the body; values are printable ASCII."""


def messages_of(
    events: Sequence[SentEvent], *, source: str, labels: tuple[str, ...], traceparents: Traceparents
) -> list[BrokerMessage]:
    """Serialize events, in their order."""
    contexts = contexts_for(events, traceparents)
    return [_message(event, source, labels, context) for event, context in zip(events, contexts, strict=True)]


def _message(
    event: SentEvent, source: str, labels: tuple[str, ...], traceparent: str | None
) -> BrokerMessage:
    body = cloud_event(event, source=source, labels=labels, traceparent=traceparent)
    headers = {"labels": " ".join(labels), "traceparent": traceparent or ""}
    return BrokerMessage(
        cloud_event_id(event), event.DETAIL_TYPE, str(event.tenant_id), body, _sendable(headers)
    )


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    """Leave out what is empty, or would break the lines of a header."""
    kept = {name: value for name, value in headers.items() if value.isascii() and value.isprintable()}
    return {"content-type": CONTENT_TYPE, **{name: value for name, value in kept.items() if value}}
