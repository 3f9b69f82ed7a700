"""Publisher of events on Amazon EventBridge: entries, request bodies and responses."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from adapters.aws.batches import BatchedPublisher
from adapters.aws.errors import error_for_entry, translate_publish_errors, unreadable_response
from adapters.aws.trace_header import trace_header
from domain.model.errors import EventPublishError
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import PublishOutcome

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

logger = logging.getLogger(__name__)

DEFAULT_MAX_BYTES = 1_000_000
"""Slightly below EventBridge's limit since 29 January 2026; some endpoints still accept only 262,144."""

TIME_BYTES = 14
"""Bytes that EventBridge counts for an entry's `Time`, in any notation."""

_ENTRIES = "entries"
"""Key under which a call's context keeps the entries while botocore serializes a request without them."""


class EventBridgePublisher(BatchedPublisher["PutEventsRequestEntryTypeDef"]):
    """Puts events on a bus, up to ten with a call.

    EventBridge accepts events for a missing bus and drops them; `transcripts verify` detects that.
    """

    def __init__(
        self,
        client: "EventBridgeClient",
        *,
        bus_name: str,
        source: str,
        region: str,
        # limit of one entry and of all entries of a call together, as EventBridge counts
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        super().__init__(max_bytes=max_bytes)
        use_fast_serializer(client)
        self._client = client
        self._bus_name = bus_name
        self._source = source
        logger.info("events go to EventBridge", extra={"region": region, "bus_name": bus_name})

    def entry(
        self, event: SentEvent, /, *, labels: tuple[str, ...], traceparent: str | None
    ) -> "PutEventsRequestEntryTypeDef":
        """Wrap the event into an entry; labels become `resources`."""
        return put_events_entry(
            event, bus_name=self._bus_name, source=self._source, labels=labels, traceparent=traceparent
        )

    def size_of(self, entry: "PutEventsRequestEntryTypeDef", /) -> int:
        """Count an entry's bytes as EventBridge does."""
        return entry_size(entry)

    def send(self, entries: "Sequence[PutEventsRequestEntryTypeDef]", /) -> list[PublishOutcome]:
        """Put the entries on the bus; the receipts are EventBridge's event ids."""
        with translate_publish_errors():
            response = self._client.put_events(Entries=entries)
        return _read_response(response, len(entries))


def put_events_entry(
    event: SentEvent,
    *,
    bus_name: str,
    source: str,
    labels: tuple[str, ...],
    traceparent: str | None = None,
) -> "PutEventsRequestEntryTypeDef":
    """Wrap the event into an entry (requirements 3.8 and 3.9); labels become `resources`.

    EventBridge hands the trace header on to the queue, and does not count it towards the size.
    """
    entry: PutEventsRequestEntryTypeDef = {
        "EventBusName": bus_name,
        "Source": source,
        "DetailType": event.DETAIL_TYPE,
        "Detail": event.to_json(),
        "Resources": list(labels),
        "Time": event.timestamp,
    }
    if header := trace_header(traceparent):
        entry["TraceHeader"] = header
    return entry


def entry_size(entry: "PutEventsRequestEntryTypeDef") -> int:
    """Count an entry's bytes as EventBridge does ("Calculating PutEvents event entry size")."""
    texts = [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", "")]
    texts += entry.get("Resources", ())
    return sum(len(text.encode()) for text in texts) + (TIME_BYTES if "Time" in entry else 0)


def use_fast_serializer(client: "EventBridgeClient") -> None:
    """Have the client send bodies serialized here; repeated calls have no further effect.

    botocore walks every field and encodes texts with Python's JSON encoder, one character at a time, as
    ASCII: for long transcripts that takes longer than sending them.
    """
    events = client.meta.events
    events.register("before-parameter-build.eventbridge.PutEvents", _defer_entries, unique_id="defer-entries")
    events.register("before-call.eventbridge.PutEvents", _write_body, unique_id="write-entries")


def _defer_entries(params: dict[str, Any], context: dict[str, Any], **_others: object) -> None:
    """Leave botocore the smallest request that it accepts as valid."""
    context[_ENTRIES], params["Entries"] = params["Entries"], [{}]


def _write_body(params: dict[str, Any], context: Mapping[str, Any], **_others: object) -> None:
    params["body"] = request_body(context[_ENTRIES])


def request_body(entries: "Sequence[PutEventsRequestEntryTypeDef]") -> bytes:
    """Serialize the entries as JSON in UTF-8; times are seconds since 1970, as botocore writes them."""
    return to_json({"Entries": entries}, temporal_mode="seconds")


def _read_response(response: Mapping[str, object], count: int) -> list[PublishOutcome]:
    """Read the outcome of each entry from a response of 200, which may hold failures or be unreadable."""
    match response:
        case {"Entries": list(results)} if len(results) == count:
            refused = sum(isinstance(result, dict) and bool(result.get("ErrorCode")) for result in results)
            trustworthy = response.get("FailedEntryCount") == refused
            return [_outcome(result, trustworthy=trustworthy) for result in results]
    raise unreadable_response()


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
    raise unreadable_response()
