"""The envelopes in which a bus delivers events to a queue, as far as verifying the route reads them.

What consumers read is in `domain/model/events/envelope.py`.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.model.events.event import TEST_EVENT_LABEL, BatchProcessingCompleted
from domain.model.route.route import TEST_USER_ID

LEFT_OVER_AFTER = timedelta(minutes=15)
"""A test event older than this has no owner any more: no verification waits so long."""


class _Envelope(BaseModel):
    """What a bus writes around an event, as far as it matters here."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    detail: dict[str, object]
    resources: tuple[str, ...] = ()

    def event(self) -> BatchProcessingCompleted:
        """The event inside; raises `ValidationError` where it breaks the schema."""
        return BatchProcessingCompleted.model_validate_json(json.dumps(self.detail))


def names_interaction(body: str, interaction_id: UUID) -> bool:
    """Nobody else knows the id, so a message that names it is ours, however it was changed on the way."""
    return str(interaction_id) in body


def _envelope(body: str) -> _Envelope | None:
    try:
        return _Envelope.model_validate_json(body)
    except ValidationError:
        return None


def is_left_over(body: str, now: datetime) -> bool:
    """Whether this is the test event of a verification that ended without finding it."""
    envelope = _envelope(body) if TEST_EVENT_LABEL in body else None
    if envelope is None or TEST_EVENT_LABEL not in envelope.resources:
        return False
    try:
        event = envelope.event()
    except ValidationError:
        return False
    return event.user_id == TEST_USER_ID and now - event.timestamp > LEFT_OVER_AFTER


def change_on_the_way(body: str, sent: BatchProcessingCompleted) -> str | None:
    """What is different about the event in this message; None where it is as it was sent."""
    envelope = _envelope(body)
    if envelope is None:
        return "the message is no envelope with a detail"
    try:
        event = envelope.event()
    except ValidationError as error:
        return f"the detail breaks schema 1.0 at {', '.join(_places(error))}"
    return None if event == sent else "the detail holds other values"


def _places(error: ValidationError) -> Iterator[str]:
    for details in error.errors(include_url=False, include_input=False, include_context=False):
        yield ".".join(map(str, details["loc"])) or "its top level"
