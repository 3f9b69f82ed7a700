"""Processed events in a database, SQLite or PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement

from adapters.sql.database import Database
from adapters.sql.processed_events.requests import GroupTransaction, Request, as_row_with_token
from adapters.sql.processed_events.statements import PRUNE_BATCH, ProcessedStatements
from adapters.sql.schema.dialect import DatabaseNow
from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease
from domain.model.errors import ProcessedEventsUnavailableError
from ports.deduplication_port import DeduplicationPort


class SqlProcessedEvents(DeduplicationPort):
    """One row for each event and consumer group; concurrent `acquire` and `complete` share a transaction.

    `now` is the present time in SQL: the database's clock, or another one in tests.
    """

    def __init__(self, database: Database, *, group: str, now: ColumnElement[float] | None = None) -> None:
        self._database = database
        clock = DatabaseNow() if now is None else now
        self._statements = ProcessedStatements(database.engine.dialect.name, clock)
        self._transaction = GroupTransaction(self._statements, group)
        self._request = database.shared_write(
            self._transaction.answer, ProcessedEventsUnavailableError, confirmed=True
        )

    def acquire(
        self, keys: Sequence[EventKey], /, *, lease_seconds: float
    ) -> tuple[ProcessingLease | LeaseStatus, ...]:
        """Insert the leases of all keys under one new token."""
        if not keys:
            return ()
        token = uuid4()
        return self._request(Request(tuple(ProcessingLease(key, token) for key in keys), lease_seconds))

    def statuses(self, detail_type: str, interaction_ids: Collection[UUID], /) -> Mapping[UUID, LeaseStatus]:
        """Read leases first: an event that is completed meanwhile is found by the second query."""
        if not interaction_ids:
            return {}
        ids = {interaction_id.hex for interaction_id in interaction_ids}
        parameters = self._transaction.parameters((each,) for each in ids) | {"of_type": detail_type}
        with self._database.reading(ProcessedEventsUnavailableError) as connection:
            leased = connection.execute(self._statements.leased_of_type, parameters)
            in_progress = {row.interaction_id: LeaseStatus.IN_PROGRESS for row in leased}
            done = connection.execute(self._statements.done_of_type, parameters)
            completed = {row.interaction_id: LeaseStatus.COMPLETED for row in done}
        return completed | in_progress

    def complete(self, leases: Sequence[ProcessingLease], /, *, retention_seconds: float) -> None:
        """Record the events as processed and delete their leases, with any token."""
        if leases:
            completed = tuple(lease.key for lease in leases)
            self._request(Request(completed=completed, retention_seconds=retention_seconds))

    def renew(self, leases: Sequence[ProcessingLease], /, *, lease_seconds: float) -> int:
        """Update the rows that have these tokens."""
        if not leases:
            return 0
        parameters = self._transaction.parameters(map(as_row_with_token, leases))
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            statement = self._statements.renew
            return connection.execute(statement, parameters | {"lease_seconds": lease_seconds}).rowcount

    def release(self, leases: Sequence[ProcessingLease], /) -> None:
        """Delete the rows that have these tokens."""
        if not leases:
            return
        parameters = self._transaction.parameters(map(as_row_with_token, leases))
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            connection.execute(self._statements.release, parameters)

    def prune(self) -> int:
        """Delete in batches, each in its own transaction."""
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            erased = connection.execute(self._statements.prune_leases).rowcount
        while True:
            with self._database.writing(ProcessedEventsUnavailableError) as connection:
                batch = connection.execute(self._statements.prune).rowcount
            erased += batch
            if batch < PRUNE_BATCH:
                return erased
