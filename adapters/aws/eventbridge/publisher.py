"""Events to Amazon EventBridge."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from adapters.aws.errors import error_for_entry, nonsense, translate_publish_errors
from adapters.aws.eventbridge.body import use_fast_serializer
from adapters.aws.eventbridge.entry import DEFAULT_MAX_BYTES, Batch, entry_size, packed, put_events_entry
from domain.model.errors import EventPublishError, EventRejectedError, EventTooLargeError
from domain.model.events.event import CompletedEvent, Publication, PublicationStatus
from ports.event_port import EventPort, PublishOutcome

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

logger = logging.getLogger(__name__)


class EventBridgePublisher(EventPort):
    """Puts events on a bus, up to ten with a call.

    EventBridge says yes to an event for a bus that does not exist, and drops it: `transcripts verify` tells.

    Args:
        max_bytes: what an entry may have, and all entries of a call together, as EventBridge counts.
    """

    def __init__(
        self,
        client: "EventBridgeClient",
        *,
        bus_name: str,
        source: str,
        region: str,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        use_fast_serializer(client)
        self._client = client
        self._bus_name = bus_name
        self._source = source
        self._max_bytes = max_bytes
        logger.info("events go to EventBridge", extra={"region": region, "bus_name": bus_name})

    def publish_all(
        self, events: Sequence[CompletedEvent], /, *, labels: tuple[str, ...] = ()
    ) -> tuple[PublishOutcome, ...]:
        """Put the events on the bus; the receipts are EventBridge's event ids."""
        entries = (
            put_events_entry(event, bus_name=self._bus_name, source=self._source, labels=labels)
            for event in events
        )
        return tuple(
            outcome for batch in packed(entries, self._max_bytes) for outcome in self._outcomes(batch)
        )

    def _outcomes(self, batch: Batch) -> Sequence[PublishOutcome]:
        if batch.size > self._max_bytes:
            message = f"the event has {batch.size} bytes, and the limit is {self._max_bytes}"
            return [EventTooLargeError(message)]
        try:
            return self._put(batch)
        except EventRejectedError as error:
            return [error] if len(batch.entries) == 1 else self._one_by_one(batch)
        except EventPublishError as error:
            return [error] * len(batch.entries)

    def _put(self, batch: Batch) -> list[PublishOutcome]:
        with translate_publish_errors():
            answer = self._client.put_events(Entries=batch.entries)
        return _read(answer, len(batch.entries))

    def _one_by_one(self, batch: Batch) -> list[PublishOutcome]:
        """A call that was refused as a whole does not say whose fault it is."""
        singles = (Batch([entry], entry_size(entry)) for entry in batch.entries)
        return [outcome for single in singles for outcome in self._outcomes(single)]


def _read(answer: Mapping[str, object], count: int) -> list[PublishOutcome]:
    """What an answer of 200 says of each entry: it may still be a refusal, or nonsense."""
    match answer:
        case {"Entries": list(results)} if len(results) == count:
            refused = sum(isinstance(result, dict) and bool(result.get("ErrorCode")) for result in results)
            trustworthy = answer.get("FailedEntryCount") == refused
            return [_outcome(result, trustworthy=trustworthy) for result in results]
    raise nonsense()


def _outcome(result: object, *, trustworthy: bool) -> PublishOutcome:
    try:
        return Publication(PublicationStatus.PUBLISHED, _event_id(result, trustworthy=trustworthy))
    except EventPublishError as error:
        return error


def _event_id(result: object, *, trustworthy: bool) -> str:
    match result:
        case {"ErrorCode": str(code), **details} if code:
            raise error_for_entry(code, str(details.get("ErrorMessage", "")))
        case {"EventId": str(event_id)} if event_id and trustworthy:
            return event_id
    raise nonsense()
