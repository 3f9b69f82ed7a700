"""Delivery of the event of a job: when it was stored, what was tried, and how it ended."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from domain.model.events.kinds import EventKind
from domain.model.jobs import Job, JobState
from domain.model.outbox import OutboxRecord

_EXAMPLE: JsonDict = {
    "tenant_id": "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11",
    "transport": "eventbridge",
    "detail_type": "BatchProcessingCompleted",
    "event_interaction_id": "7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de",
    "state": "published",
    "stored_at": "2026-11-23T18:03:05.000000Z",
    "attempts": 1,
    "due_at": None,
    "published_at": "2026-11-23T18:03:07.000000Z",
    "event_id": "0d1d4a27-9f3c-4d6f-8a6e-1a2b3c4d5e6f",
    "reason": None,
}


class DeliveryState(StrEnum):
    """State of the event of a job that has ended."""

    WAITING = "waiting"
    REJECTED = "rejected"
    PUBLISHED = "published"
    PRUNED = "pruned"
    """It was published so long ago that the outbox has deleted its record."""
    DISABLED = "disabled"
    """The job has no event: EVENT_KINDS leaves it out, or the transport is switched off."""


class EventDelivery(BaseModel):
    """Delivery of the event of a job; nothing is known before the job has ended."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    tenant_id: UUID
    transport: str
    detail_type: str | None = Field(description="Type of the event on the bus; null where there is none.")
    event_interaction_id: UUID | None = Field(description="Id by which the outbox knows the event.")
    state: DeliveryState | None
    stored_at: datetime | None = None
    attempts: int = Field(default=0, description="Attempts that failed.")
    due_at: datetime | None = Field(default=None, description="Time of the next attempt.")
    published_at: datetime | None = None
    event_id: str | None = Field(default=None, description="Receipt of the bus.")
    reason: str | None = Field(
        default=None, description="The last failure; for callers with the scope operate alone."
    )

    @classmethod
    def of(cls, job: Job, record: OutboxRecord | None, *, transport: str, tells_reason: bool) -> Self:
        """Describe the delivery; the record is that of the event, None where the outbox has none."""
        return cls(
            tenant_id=job.order.identity.tenant_id,
            transport=transport,
            detail_type=None if job.event_id is None else _kind(job).detail_type,
            event_interaction_id=job.event_id,
            state=_state(job, record),
            **({} if record is None else _facts(record, tells_reason=tells_reason)),
        )


def _kind(job: Job) -> EventKind:
    return EventKind.COMPLETED if job.state is JobState.COMPLETED else EventKind.FAILED


def _state(job: Job, record: OutboxRecord | None) -> DeliveryState | None:
    """Derive the state; an event that is not there was published, since no other is deleted."""
    if not job.state.is_final:
        return None
    if job.event_id is None:
        return DeliveryState.DISABLED
    return DeliveryState.PRUNED if record is None else DeliveryState(record.state)


def _facts(record: OutboxRecord, *, tells_reason: bool) -> dict[str, Any]:
    return {
        "stored_at": record.added_at,
        "attempts": record.attempts,
        "due_at": record.due_at,
        "published_at": record.published_at,
        "event_id": record.event_id,
        "reason": record.reason if tells_reason else None,
    }
