"""Conversion between rows of the outbox and values of the domain."""

import logging
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Row

from domain.model.events.sent import StoredEvent, stored_event
from domain.model.outbox import EventLease, OutboxRecord, OutboxState, Outcome, Postponed, Published, Rejected

logger = logging.getLogger(__name__)

MAX_TEXT_LENGTH = 2000
"""Longest text of the bus that is stored: an event id or a reason, in characters."""

Parameters = dict[str, object]


def new_row(lease: EventLease, lease_seconds: float) -> Parameters:
    """Return the parameters of an INSERT; the database's clock sets the times."""
    return {
        "interaction_id": lease.interaction_id,
        "tenant_id": lease.event.tenant_id,
        "event": lease.event.to_json(),
        "token": lease.token,
        "lease_seconds": lease_seconds,
        "traceparent": lease.traceparent,
        "user_id": lease.event.user_id,
    }


class RowUpdate(NamedTuple):
    """The columns that an outcome changes, as JSON values."""

    interaction_id: str
    token: str
    state: str
    delay_seconds: float = 0.0
    failures: int = 0
    event_id: str | None = None
    reason: str | None = None


def row_update(outcome: Outcome) -> RowUpdate:
    """Return the change of the row that an outcome makes."""
    lease = outcome.lease
    owned = partial(RowUpdate, lease.interaction_id.hex, lease.token.hex)
    match outcome:
        case Published(_, event_id):
            return owned(OutboxState.PUBLISHED, event_id=storable(event_id))
        case Rejected(_, reason):
            return owned(OutboxState.REJECTED, failures=1, reason=storable(reason))
        case Postponed(_, delay_seconds, reason, is_attempt):
            return owned(OutboxState.WAITING, delay_seconds, int(is_attempt), reason=storable(reason))


def storable(text: str) -> str:
    """Return a text that every database accepts: bounded, without NUL and lone surrogates."""
    return text[:MAX_TEXT_LENGTH].encode(errors="replace").decode().replace("\x00", "?")


def lease_from(row: Row[str, int, UUID, float, str | None], token: UUID) -> EventLease | None:
    """Return the lease on a row; None, with a log line, if this version cannot read its event.

    Such a row stays as it is: a newer process leases it once this lease ends.
    """
    event = _event_from(row.event, row.interaction_id)
    return EventLease(event, token, row.attempts, row.traceparent) if event else None


def record_from(row: Row[*tuple[Any, ...]]) -> OutboxRecord:
    """Return the record of a row, as an operator sees it."""
    state = OutboxState(row.state)
    return OutboxRecord(
        interaction_id=row.interaction_id,
        tenant_id=row.tenant_id,
        state=state,
        added_at=_moment(row.added_at),
        attempts=row.attempts,
        due_at=_moment(row.due_at) if state is OutboxState.WAITING else None,
        published_at=_moment(row.settled_at) if state is OutboxState.PUBLISHED else None,
        event_id=row.event_id,
        reason=row.reason,
        event=_event_from(row.event, row.interaction_id) if row.event is not None else None,
    )


def _event_from(json: str, interaction_id: UUID) -> StoredEvent | None:
    try:
        return stored_event(json)
    except ValidationError:
        logger.error(  # noqa: TRY400 - the trace would tell no more
            "an event in the outbox cannot be read by this version of the service",
            extra={"interaction_id": str(interaction_id)},
        )
        return None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
