"""The test event of a verification: created, recognised in a queue, and removed once it is left over."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID, uuid4

from pydantic import ValidationError

from domain.model.events.envelope import read_envelope
from domain.model.events.erased import ErasureCause, ErasureData, TranscriptErased
from domain.model.events.event import TEST_EVENT_LABEL, BatchProcessingCompleted, TranscriptData
from domain.model.events.failed import BatchProcessingFailed, FailureData
from domain.model.events.kinds import EventKind
from domain.model.events.sent import StoredEvent, stored_event

TEST_USER_ID = "transcripts-verify"
"""`user_id` of every test event."""

LEFT_OVER_AFTER = timedelta(minutes=15)
"""Age after which a test event belongs to no verification any more: none waits so long."""


TEST_TEXT = "This event tests the route from the bus to the queue."


class _Fields(TypedDict):
    interaction_id: UUID
    tenant_id: UUID
    user_id: str
    account_id: None
    timestamp: datetime


def route_test_event(moment: datetime, kind: EventKind = EventKind.COMPLETED) -> StoredEvent:
    """Create a valid event, of a tenant of its own, that only tests the route (requirement 8.1)."""
    fields = _Fields(
        interaction_id=uuid4(), tenant_id=uuid4(), user_id=TEST_USER_ID, account_id=None, timestamp=moment
    )
    match kind:
        case EventKind.COMPLETED:
            texts = TranscriptData(raw_transcript=TEST_TEXT, cleaned_transcript=TEST_TEXT)
            return BatchProcessingCompleted(**fields, data=texts)
        case EventKind.FAILED:
            failure = FailureData(reason="test", detail=TEST_TEXT, retryable=False)
            return BatchProcessingFailed(**fields, data=failure)
        case EventKind.ERASED:
            erasure = ErasureData(requested_by=TEST_USER_ID, cause=ErasureCause.REQUEST, at=moment)
            return TranscriptErased(**fields, data=erasure)


def names_interaction(body: str, interaction_id: UUID) -> bool:
    """Recognise the message of this interaction, even where it was changed on the way.

    Only the verification knows the random id, so a message that contains it is its own.
    """
    return str(interaction_id) in body


def is_left_over(body: str, now: datetime) -> bool:
    """Return True for the test event of a verification that ended without finding it."""
    envelope = _read_envelope(body) if TEST_EVENT_LABEL in body else {}
    labels = envelope.get("resources")
    if not isinstance(labels, list) or TEST_EVENT_LABEL not in labels:
        return False
    try:
        event = stored_event(_detail(envelope))
    except ValidationError:
        return False
    return event.user_id == TEST_USER_ID and now - event.timestamp > LEFT_OVER_AFTER


def change_on_the_way(body: str, sent: StoredEvent) -> str | None:
    """Describe how the event in this message differs from the one sent; None where it is equal."""
    envelope = _read_envelope(body)
    if not isinstance(envelope.get("detail"), dict):
        return "the message is no envelope with a detail"
    try:
        event = type(sent).model_validate_json(_detail(envelope))
    except ValidationError as error:
        return f"the detail breaks schema 1.0 at {', '.join(_places(error))}"
    return None if event == sent else "the detail holds other values"


def _read_envelope(body: str) -> Mapping[str, object]:
    try:
        return read_envelope(body) or {}
    except ValueError:
        return {}


def _detail(envelope: Mapping[str, object]) -> str:
    return json.dumps(envelope.get("detail"))


def _places(error: ValidationError) -> Iterator[str]:
    for details in error.errors(include_url=False, include_input=False, include_context=False):
        yield ".".join(map(str, details["loc"])) or "its top level"
