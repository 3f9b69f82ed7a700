"""Views of the outbox: lines of text, and JSON; text from the database is escaped."""

from collections.abc import Iterator
from datetime import datetime

from domain.model.events.erased import ErasureData
from domain.model.events.event import TranscriptData
from domain.model.events.failed import FailureData
from domain.model.events.sent import StoredEvent
from domain.model.outbox import OutboxCounts, OutboxRecord
from entrypoints.cli.views.output import printable

MAX_REASON = 80
"""Characters of a reason in a list; `show` prints all of it."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def record_as_json(record: OutboxRecord, *, with_text: bool = False) -> dict[str, object]:
    """Convert a record to JSON; `event` is null once its payload is purged."""
    event = record.event
    return {
        "interaction_id": str(record.interaction_id),
        "tenant_id": str(record.tenant_id),
        "state": record.state.value,
        "added_at": record.added_at.isoformat(),
        "attempts": record.attempts,
        "due_at": record.due_at.isoformat() if record.due_at else None,
        "published_at": record.published_at.isoformat() if record.published_at else None,
        "event_id": record.event_id,
        "reason": record.reason,
        "event": None if event is None else _event_as_json(event, with_text=with_text),
    }


def _event_as_json(event: StoredEvent, *, with_text: bool) -> dict[str, object]:
    data = event.data
    return {
        "user_id": event.user_id,
        "account_id": event.account_id,
        "timestamp": event.timestamp.isoformat(),
        **(_transcripts(data, with_text=with_text) if isinstance(data, TranscriptData) else _fields(data)),
    }


def _transcripts(data: TranscriptData, *, with_text: bool) -> dict[str, object]:
    return {
        "raw_transcript_length": len(data.raw_transcript),
        "cleaned_transcript_length": len(data.cleaned_transcript),
        **(data.model_dump() if with_text else {}),
    }


def _fields(data: FailureData | ErasureData) -> dict[str, object]:
    """Name the fields apart from `reason`, the failure of a publication."""
    prefix = "failure" if isinstance(data, FailureData) else "erasure"
    return {f"{prefix}_{name}": value for name, value in data.model_dump(mode="json").items()}


def as_line(record: OutboxRecord, now: datetime) -> str:
    """Format an event as one line: id, tenant, state, age, failed attempts, due time and reason."""
    added, due = (now - record.added_at).total_seconds(), ""
    if record.due_at:
        seconds = (record.due_at - now).total_seconds()
        due = f"due in {age(seconds)}" if seconds > 0 else "due now"
    reason = printable(record.reason or "")
    shortened = reason if len(reason) <= MAX_REASON else reason[: MAX_REASON - 1] + "…"
    kind = _kind_of(record.event)
    return (
        f"{record.interaction_id}  {record.tenant_id}  {record.state:<9}  {age(added):>6} old  "
        f"{record.attempts:>3} failed  {due:<13}  {kind}{shortened}"
    ).rstrip()


def _kind_of(event: StoredEvent | None) -> str:
    return "" if event is None or event.status == "completed" else f"[{event.DETAIL_TYPE}]  "


def as_lines(record: OutboxRecord, *, with_text: bool) -> Iterator[str]:
    """Format an event with one line for each field."""
    fields = record_as_json(record, with_text=with_text)
    event = fields.pop("event")
    for name, value in {**fields, **(event if isinstance(event, dict) else {})}.items():
        yield f"{name:<26} {'-' if value is None else printable(str(value))}"


def counts_as_line(counts: OutboxCounts) -> str:
    """Format the number of events in each state, and the age of the oldest waiting one."""
    oldest = f" (the oldest for {age(counts.oldest_waiting_seconds)})" if counts.waiting else ""
    return f"{counts.waiting} waiting{oldest}, {counts.rejected} rejected, {counts.published} published"


def age(seconds: float) -> str:
    """Format a duration in the largest unit that it reaches."""
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"
