"""The test event: created, and compared with what arrived in a message."""

import json
from datetime import UTC, datetime

import pytest

from domain.model.events.event import BatchProcessingCompleted
from domain.model.route.test_event import change_on_the_way, route_test_event
from tests.support.samples.factories import an_event

SENT = an_event()


def envelope(detail: object) -> str:
    """Build an envelope as EventBridge writes it."""
    return json.dumps(
        {
            "version": "0",
            "id": "0d1d4a27-8f3e-4c57-9c55-0d9b1c7f2a11",
            "detail-type": "BatchProcessingCompleted",
            "source": "com.yourapp.transcription",
            "account": "123456789012",
            "time": "2026-11-23T18:00:00Z",
            "region": "eu-central-1",
            "resources": [],
            "detail": detail,
        }
    )


def as_sent(event: BatchProcessingCompleted = SENT, **changes: object) -> dict[str, object]:
    """Build the detail as it is sent."""
    return {**json.loads(event.to_json()), **changes}


def test_the_detail_of_an_envelope_is_the_event_that_was_sent() -> None:
    assert change_on_the_way(envelope(as_sent()), SENT) is None


def test_an_event_of_another_interaction_is_not_the_one_that_was_sent() -> None:
    assert change_on_the_way(envelope(as_sent(an_event())), SENT) == "the detail holds other values"


@pytest.mark.parametrize("body", ["", "no json", "[]", "null", '{"detail": "text"}', envelope(None)])
def test_what_is_no_envelope_is_said_to_be_none(body: str) -> None:
    assert change_on_the_way(body, SENT) == "the message is no envelope with a detail"


def test_a_detail_that_breaks_the_schema_names_the_place_and_no_value() -> None:
    change = change_on_the_way(envelope(as_sent(user_id=7, surprise="a secret")), SENT)

    assert change == "the detail breaks schema 1.0 at user_id, surprise"


def test_a_test_event_keeps_the_schema_and_is_never_the_same_twice() -> None:
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    first, second = route_test_event(moment), route_test_event(moment)

    assert BatchProcessingCompleted.model_validate_json(first.to_json()) == first
    assert {first.interaction_id, first.tenant_id}.isdisjoint({second.interaction_id, second.tenant_id})
