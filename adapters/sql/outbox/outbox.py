"""Outbox in a database, SQLite or PostgreSQL."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Insert, Update, bindparam, select

from adapters.sql.database import Database
from adapters.sql.outbox import statements
from adapters.sql.outbox.rows import Parameters, lease_from, new_row, record_from, row_update
from adapters.sql.schema.dialect import DatabaseNow
from adapters.sql.schema.tables import outbox
from domain.model.clock import SECONDS_PER_DAY
from domain.model.errors import InteractionIdTakenError, OutboxUnavailableError
from domain.model.events.sent import StoredEvent
from domain.model.outbox import EventLease, EventStatus, OutboxCounts, OutboxRecord, OutboxState, Outcome
from ports.outbox_port import OutboxPort


class SqlOutbox(OutboxPort):
    """One row for each event; every method is one short transaction, which concurrent writers share.

    Payloads of published events are kept for `keep_days`. `now` is the present time in SQL: the database's
    clock, or another one in tests.
    """

    def __init__(
        self, database: Database, *, keep_days: float = 0.0, now: ColumnElement[float] | None = None
    ) -> None:
        self._database = database
        self._keep_seconds = keep_days * SECONDS_PER_DAY
        self._now = DatabaseNow() if now is None else now
        dialect = database.engine.dialect.name
        self._lease_due = statements.lease_due(self._now)
        self._lease_postdated = statements.lease_postdated(self._now)
        add = statements.add(dialect, self._now)
        settle = statements.settle(dialect, self._now, keeps_texts=keep_days > 0)
        self._add = database.shared_write(partial(_insert, add), OutboxUnavailableError, confirmed=True)
        self._record = database.shared_write(partial(_settle, settle), OutboxUnavailableError)

    def add(
        self, event: StoredEvent, /, *, lease_seconds: float = 0.0, traceparent: str | None = None
    ) -> EventLease:
        """Insert the event; if the answer to COMMIT is lost, insert it again to be sure."""
        lease = EventLease(event, uuid4(), attempts=0, traceparent=traceparent)
        if not self._add(new_row(lease, lease_seconds)):
            raise InteractionIdTakenError(event.interaction_id)
        return lease

    def lease_due(self, limit: int, /, *, lease_seconds: float) -> tuple[EventLease, ...]:
        """Lease due rows to one new token; if few are due, also rows that a clock set back has postdated."""
        token = uuid4()
        parameters = {"at_most": limit, "new_token": token, "lease_seconds": lease_seconds}
        with self._database.writing(OutboxUnavailableError) as connection:
            rows = list(connection.execute(self._lease_due, parameters))
            if len(rows) < limit:
                rest = {**parameters, "at_most": limit - len(rows)}
                rows += connection.execute(self._lease_postdated, rest)
        leases = (lease_from(row, token) for row in sorted(rows, key=lambda row: row.due_at))
        return tuple(lease for lease in leases if lease)

    def record(self, outcomes: Sequence[Outcome], /) -> int:
        """Update rows by id and token, in the order of ids, so that two relays rarely block each other."""
        if not outcomes:
            return 0
        ordered = sorted(outcomes, key=lambda outcome: outcome.lease.interaction_id.int)
        return self._record(json.dumps([row_update(outcome) for outcome in ordered]))

    def counts(self) -> OutboxCounts:
        """Count from the indexes."""
        with self._database.reading(OutboxUnavailableError) as connection:
            waiting, rejected, published, age = connection.execute(statements.counts(self._now)).one()
        return OutboxCounts(waiting, rejected, published, max(0.0, age or 0.0))

    def seconds_until_due(self) -> float | None:
        """Find the waiting row that becomes free first."""
        with self._database.reading(OutboxUnavailableError) as connection:
            seconds = connection.execute(statements.seconds_until_due(self._now)).scalar_one()
        return None if seconds is None else max(0.0, seconds)

    def find(self, interaction_id: UUID, /) -> OutboxRecord | None:
        """Read one row."""
        query = select(outbox).where(outbox.c.interaction_id == interaction_id)
        with self._database.reading(OutboxUnavailableError) as connection:
            row = connection.execute(query).one_or_none()
        return record_from(row) if row else None

    def statuses(self, interaction_ids: Sequence[UUID], /) -> Mapping[UUID, EventStatus]:
        """Read some columns of many rows in one query."""
        query = select(outbox.c.interaction_id, outbox.c.state, outbox.c.event_id)
        query = query.where(outbox.c.interaction_id.in_(interaction_ids))
        with self._database.reading(OutboxUnavailableError) as connection:
            rows = connection.execute(query).all()
        return {row.interaction_id: EventStatus(OutboxState(row.state), row.event_id) for row in rows}

    def records(self, state: OutboxState | None = None, /, *, limit: int = 100) -> tuple[OutboxRecord, ...]:
        """Read the rows added last."""
        query = select(outbox).order_by(outbox.c.added_at.desc()).limit(limit)
        if state is not None:
            query = query.where(outbox.c.state == state.value)
        with self._database.reading(OutboxUnavailableError) as connection:
            return tuple(record_from(row) for row in connection.execute(query).all())

    def retry(self, interaction_ids: Sequence[UUID] | None = None, /) -> int:
        """Make rows due now: the named ones, or every rejected one."""
        rejected, published = OutboxState.REJECTED.value, OutboxState.PUBLISHED.value
        statement = statements.retry(self._now)
        with self._database.writing(OutboxUnavailableError) as connection:
            if interaction_ids is None:
                return connection.execute(statement.where(outbox.c.state == rejected)).rowcount
            if not interaction_ids:
                return 0
            named = statement.where(
                outbox.c.interaction_id == bindparam("named"), outbox.c.state != published
            )
            return connection.execute(
                named, [{"named": each} for each in sorted(set(interaction_ids))]
            ).rowcount

    def purge_payloads(self, limit: int, /) -> int:
        """Empty rows that the index of kept payloads names."""
        parameters = {"at_most": limit, "age_seconds": self._keep_seconds}
        with self._database.writing(OutboxUnavailableError) as connection:
            return len(connection.execute(statements.purge_payloads(self._now), parameters).all())

    def prune(self, *, older_than_days: float, rejected: bool = False) -> int:
        """Delete in batches, each in its own transaction."""
        states = [OutboxState.PUBLISHED.value, *([OutboxState.REJECTED.value] if rejected else [])]
        parameters = {"states": states, "age_seconds": older_than_days * SECONDS_PER_DAY}
        forgotten = 0
        while True:
            with self._database.writing(OutboxUnavailableError) as connection:
                batch = connection.execute(statements.prune(self._now), parameters).rowcount
            forgotten += batch
            if batch < statements.PRUNE_BATCH:
                return forgotten


def _insert(add: Insert, connection: Connection, rows: Sequence[Parameters]) -> Sequence[bool]:
    """Insert rows, and return for each whether its event is stored: another one may have its id."""
    if connection.execute(add, rows).rowcount == len(rows):
        return [True] * len(rows)
    ids = [row["interaction_id"] for row in rows]
    stored = connection.execute(select(outbox.c.event).where(outbox.c.interaction_id.in_(ids)))
    events = set(stored.scalars())
    return [row["event"] in events for row in rows]


def _settle(settle: Update, connection: Connection, changes: Sequence[str]) -> Sequence[int]:
    return [connection.execute(settle, {"outcomes": each}).rowcount for each in changes]
