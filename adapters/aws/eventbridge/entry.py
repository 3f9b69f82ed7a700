"""Events as EventBridge's PutEvents takes them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from domain.model.events.event import CompletedEvent

if TYPE_CHECKING:
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

DEFAULT_MAX_BYTES = 1_000_000
"""A little less than what EventBridge takes since 29 January 2026; some endpoints still take 262,144."""

MAX_ENTRIES = 10
"""What one call takes."""

TIME_BYTES = 14
"""What an entry's `Time` counts for, however it is written."""


def put_events_entry(
    event: CompletedEvent, *, bus_name: str, source: str, labels: tuple[str, ...]
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


class Batch(NamedTuple):
    """Entries that travel in one call."""

    entries: "list[PutEventsRequestEntryTypeDef]"
    size: int
    """Bytes of all of them together."""


def packed(entries: "Iterable[PutEventsRequestEntryTypeDef]", max_bytes: int) -> Iterator[Batch]:
    """Entries in their order, as few calls as their number and their bytes allow.

    An entry that is larger than `max_bytes` by itself is a batch of its own.
    """
    batch = Batch([], 0)
    for entry in entries:
        size = entry_size(entry)
        if batch.entries and (len(batch.entries) == MAX_ENTRIES or batch.size + size > max_bytes):
            yield batch
            batch = Batch([], 0)
        batch = Batch([*batch.entries, entry], batch.size + size)
    if batch.entries:
        yield batch


def entry_size(entry: "PutEventsRequestEntryTypeDef") -> int:
    """Bytes of an entry as EventBridge counts them ("Calculating PutEvents event entry size")."""
    texts = [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", "")]
    texts += entry.get("Resources", ())
    return sum(len(text.encode()) for text in texts) + (TIME_BYTES if "Time" in entry else 0)
