"""An event as EventBridge's PutEvents takes it."""

from typing import TYPE_CHECKING

from domain.model.events import BatchProcessingCompleted

if TYPE_CHECKING:
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

MAX_ENTRY_BYTES = 1_048_576
"""What EventBridge takes since 29 January 2026; endpoints that still take 262,144 refuse by themselves."""

TIME_BYTES = 14
"""What an entry's `Time` counts for, however it is written."""


def put_events_entry(
    event: BatchProcessingCompleted, *, bus_name: str, source: str, labels: tuple[str, ...]
) -> "PutEventsRequestEntryTypeDef":
    """The event in its envelope (requirements 3.8 and 3.9); labels become `resources`."""
    return {
        "EventBusName": bus_name,
        "Source": source,
        "DetailType": event.DETAIL_TYPE,
        "Detail": event.to_json(),
        "Resources": list(labels),
        "Time": event.timestamp,
    }


def entry_size(entry: "PutEventsRequestEntryTypeDef") -> int:
    """Bytes of an entry as EventBridge counts them ("Calculating PutEvents event entry size")."""
    texts = [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", "")]
    texts += entry.get("Resources", ())
    return sum(len(text.encode()) for text in texts) + (TIME_BYTES if "Time" in entry else 0)
