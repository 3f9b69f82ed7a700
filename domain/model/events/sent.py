"""Unions of the events: those that end a recording, those that the outbox stores, those that are sent."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from domain.model.events.erased import TranscriptErased
from domain.model.events.event import BatchProcessingCompleted, CompletedEvent
from domain.model.events.failed import BatchProcessingFailed

TerminalEvent = BatchProcessingCompleted | BatchProcessingFailed
"""The one event that tells how a recording ended."""

StoredEvent = TerminalEvent | TranscriptErased
"""An event as the outbox stores it."""

SentEvent = CompletedEvent | BatchProcessingFailed | TranscriptErased
"""An event in any type and version that this service sends."""

_stored: TypeAdapter[StoredEvent] = TypeAdapter(Annotated[StoredEvent, Field(discriminator="status")])
_sent: TypeAdapter[SentEvent] = TypeAdapter(SentEvent)


def stored_event(text: str) -> StoredEvent:
    """Read an event that `to_json` wrote.

    Raises:
        pydantic.ValidationError: the text is no such event.
    """
    return _stored.validate_json(text)


def sent_event(text: str) -> SentEvent:
    """Read an event in any type and version of this service, strictly.

    Raises:
        pydantic.ValidationError: the text is no such event.
    """
    return _sent.validate_json(text)
