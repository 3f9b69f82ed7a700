import json
from typing import TYPE_CHECKING

import pytest

from adapters.aws.event_entry import entry_size, put_events_entry
from tests.factories import A_MOMENT, an_event

if TYPE_CHECKING:
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef


def test_the_entry_is_what_the_requirements_name() -> None:
    event = an_event()

    entry = put_events_entry(event, bus_name="orders", source="com.yourapp.transcription", labels=("urn:a",))

    assert entry == {
        "EventBusName": "orders",
        "Source": "com.yourapp.transcription",
        "DetailType": "BatchProcessingCompleted",
        "Detail": event.to_json(),
        "Resources": ["urn:a"],
        "Time": A_MOMENT,
    }


def test_the_detail_is_the_event_as_json() -> None:
    event = an_event(raw_transcript="um hello", cleaned_transcript="Hello.", account_id=None)

    detail = json.loads(put_events_entry(event, bus_name="b", source="s", labels=())["Detail"])

    assert detail == {
        "version": "1.0",
        "interaction_id": str(event.interaction_id),
        "tenant_id": str(event.tenant_id),
        "user_id": "user-7",
        "account_id": None,
        "timestamp": "2026-11-23T18:00:00.123456Z",
        "status": "completed",
        "data": {"raw_transcript": "um hello", "cleaned_transcript": "Hello."},
    }


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
