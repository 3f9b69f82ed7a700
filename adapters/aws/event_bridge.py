"""Events to Amazon EventBridge."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from adapters.aws.errors import error_for_entry, translate_publish_errors
from adapters.aws.event_entry import MAX_ENTRY_BYTES, entry_size, put_events_entry
from domain.model.errors import EventBusUnavailableError, EventRejectedError
from domain.model.events import BatchProcessingCompleted, Publication, PublicationStatus
from ports.event_port import EventPort

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

logger = logging.getLogger(__name__)


class EventBridgePublisher(EventPort):
    """Puts each event on a bus with a call of its own.

    EventBridge says yes to an event for a bus that does not exist, and drops it: `transcripts verify` tells.
    """

    def __init__(self, client: "EventBridgeClient", *, bus_name: str, source: str, region: str) -> None:
        self._client = client
        self._bus_name = bus_name
        self._source = source
        logger.info("events go to EventBridge", extra={"region": region, "bus_name": bus_name})

    def publish(self, event: BatchProcessingCompleted, /, *, labels: tuple[str, ...] = ()) -> Publication:
        """Put the event on the bus; the receipt is EventBridge's event id."""
        entry = put_events_entry(event, bus_name=self._bus_name, source=self._source, labels=labels)
        _refuse_oversize(entry_size(entry))
        with translate_publish_errors():
            answer = self._client.put_events(Entries=[entry])
        return Publication(PublicationStatus.PUBLISHED, _receipt(answer))


def _refuse_oversize(size: int) -> None:
    if size > MAX_ENTRY_BYTES:
        raise EventRejectedError(f"the event has {size} bytes, and EventBridge takes {MAX_ENTRY_BYTES}")


def _receipt(answer: Mapping[str, object]) -> str:
    """The id of the one event that was sent; an answer of 200 may still be a refusal, or nonsense."""
    match answer:
        case {"Entries": [{"ErrorCode": str(code), **details}]} if code:
            raise error_for_entry(code, str(details.get("ErrorMessage", "")))
        case {"FailedEntryCount": 0, "Entries": [{"EventId": str(event_id)}]} if event_id:
            return event_id
    raise EventBusUnavailableError("the bus answered nonsense")
