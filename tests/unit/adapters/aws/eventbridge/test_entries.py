import json
from typing import TYPE_CHECKING

import pytest

from adapters.aws.batches import packed
from adapters.aws.eventbridge.publisher import entry_size, put_events_entry
from tests.support.samples.factories import A_MOMENT, A_TRACEPARENT, a_referring_event, an_event

if TYPE_CHECKING:
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        ({}, 0),
        ({"Source": "s", "DetailType": "dt", "Detail": "{}"}, 5),
        ({"Source": "s", "DetailType": "dt", "Detail": "{}", "Time": A_MOMENT}, 19),
        ({"Source": "s", "Resources": ["urn:a", "urn:bc"]}, 12),
        ({"Detail": "ä€𝄞"}, 9),
        ({"Source": "s", "EventBusName": "counts for nothing"}, 1),
    ],
)
def test_an_entry_is_as_large_as_eventbridge_counts_it(
    entry: "PutEventsRequestEntryTypeDef", size: int
) -> None:
    assert entry_size(entry) == size


def test_an_event_of_version_2_goes_by_the_same_detail_type() -> None:
    entry = put_events_entry(a_referring_event(), bus_name="b", source="s", labels=())

    assert entry["DetailType"] == "BatchProcessingCompleted"
    assert json.loads(entry["Detail"])["version"] == "2.0"


def test_a_trace_header_is_sent_beside_the_event_and_counts_for_nothing() -> None:
    event = an_event()
    plain, traced, unreadable = (
        put_events_entry(event, bus_name="b", source="s", labels=(), traceparent=context)
        for context in (None, A_TRACEPARENT, "of another version")
    )

    header = "Root=1-4efaaf4d-1e8720b39541901950019ee5;Parent=53995c3f42cd8ad8;Sampled=1"
    assert traced == {**plain, "TraceHeader": header}
    assert unreadable == plain
    assert "TraceHeader" not in plain
    assert entry_size(traced) == entry_size(plain)


def of_sizes(*sizes: int) -> list["PutEventsRequestEntryTypeDef"]:
    return [{"Source": "x" * size} for size in sizes]


@pytest.mark.parametrize(
    ("sizes", "calls"),
    [
        ((), []),
        ((1,) * 10, [(1,) * 10]),
        ((1,) * 11, [(1,) * 10, (1,)]),
        ((50, 50), [(50, 50)]),
        ((50, 51), [(50,), (51,)]),
        ((60, 60, 40), [(60,), (60, 40)]),
        ((100, 1), [(100,), (1,)]),
        ((1, 101, 1), [(1,), (101,), (1,)]),
        ((101, 102), [(101,), (102,)]),
    ],
)
def test_entries_are_packed_in_their_order_under_both_limits(
    sizes: tuple[int, ...], calls: list[tuple[int, ...]]
) -> None:
    batches = list(packed(of_sizes(*sizes), entry_size, max_bytes=100))

    assert [tuple(map(entry_size, batch.entries)) for batch in batches] == calls
    assert [batch.size for batch in batches] == list(map(sum, calls))
