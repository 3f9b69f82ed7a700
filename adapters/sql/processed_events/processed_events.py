"""What consumers have worked off, in a database: SQLite or PostgreSQL."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Select

from adapters.sql.database import Database
from adapters.sql.group_commit import GroupCommit
from adapters.sql.processed_events.statements import PRUNE_BATCH, ProcessedStatements
from adapters.sql.schema.clock import DatabaseNow
from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease
from domain.model.errors import ProcessedEventsUnavailableError
from ports.deduplication_port import DeduplicationPort

NO_REPLAY = ""
"""Stored as the replay name of an event that comes from no replay: a primary key has no NULLs."""


class _Asked(NamedTuple):
    """What one thread asks for: leases it would like to have, and events it has processed."""

    leases: tuple[ProcessingLease, ...] = ()
    lease_seconds: float = 0.0
    done: tuple[EventKey, ...] = ()
    retention_seconds: float = 0.0


class SqlProcessedEvents(DeduplicationPort):
    """One row for each event and group.

    Concurrent `acquire` and `complete` calls share a transaction, and get the longest time that any of them
    asks for.

    Args:
        database: with its schema up to date.
        group: whose memory this is.
        now: what counts as now, in SQL; the database's clock, except where a test needs another.
    """

    def __init__(self, database: Database, *, group: str, now: ColumnElement[float] | None = None) -> None:
        self._database = database
        self._group = group
        clock = DatabaseNow() if now is None else now
        self._statements = ProcessedStatements(database.engine.dialect.name, clock)
        self._asking = GroupCommit(self._write_certainly, self._answer)

    def acquire(
        self, keys: Sequence[EventKey], /, *, lease_seconds: float
    ) -> tuple[ProcessingLease | LeaseStatus, ...]:
        """Insert leases, then look which events are processed: one completed meanwhile is recorded then."""
        if not keys:
            return ()
        token = uuid4()
        return self._asking(_Asked(tuple(ProcessingLease(key, token) for key in keys), lease_seconds))

    def complete(self, leases: Sequence[ProcessingLease], /, *, retention_seconds: float) -> None:
        """Write them down as done, and delete the leases, whoever has them by now."""
        if leases:
            done = tuple(lease.key for lease in leases)
            self._asking(_Asked(done=done, retention_seconds=retention_seconds))

    def renew(self, leases: Sequence[ProcessingLease], /, *, lease_seconds: float) -> int:
        """Update the rows of these tokens."""
        if not leases:
            return 0
        about = self._about(map(_as_row_with_token, leases)) | {"lease_seconds": lease_seconds}
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            return connection.execute(self._statements.renew, about).rowcount

    def release(self, leases: Sequence[ProcessingLease], /) -> None:
        """Delete the rows of these tokens."""
        if not leases:
            return
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            owned = [self._owned(lease) for lease in sorted(leases, key=_order)]
            connection.execute(self._statements.release, owned)

    def prune(self) -> int:
        """Delete batch by batch, each in a transaction of its own."""
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            erased = connection.execute(self._statements.prune_leases).rowcount
        while True:
            with self._database.writing(ProcessedEventsUnavailableError) as connection:
                batch = connection.execute(self._statements.prune).rowcount
            erased += batch
            if batch < PRUNE_BATCH:
                return erased

    def _write_certainly(self, write: Callable[[Connection], object]) -> None:
        self._database.write_confirmed(write, ProcessedEventsUnavailableError)

    def _answer(
        self, connection: Connection, asked: Sequence[_Asked]
    ) -> Sequence[tuple[ProcessingLease | LeaseStatus, ...]]:
        """May be repeated: a lease is told by its token, and what is done stays done."""
        if done := {key for each in asked for key in each.done}:
            self._remember(connection, done, max(each.retention_seconds for each in asked))
        leases = [lease for each in asked for lease in each.leases]
        if not leases:
            return [() for _ in asked]
        statuses = self._lease(connection, leases, max(each.lease_seconds for each in asked))
        return [tuple(_status(lease, statuses) for lease in each.leases) for each in asked]

    def _remember(self, connection: Connection, done: set[EventKey], seconds: float) -> None:
        about = self._about(map(_as_row, done))
        connection.execute(self._statements.remember, about | {"retention_seconds": seconds})
        connection.execute(self._statements.let_go, about)

    def _lease(
        self, connection: Connection, leases: Sequence[ProcessingLease], seconds: float
    ) -> dict[EventKey, ProcessingLease | LeaseStatus]:
        """How each event stands then; those that are missing are taken."""
        wanted = {
            lease.key: lease for lease in reversed(leases)
        }  # of a key that is named twice, the first one
        about = self._about(map(_as_row_with_token, wanted.values())) | {"lease_seconds": seconds}
        number = connection.execute(self._statements.lease, about).rowcount
        if number < len(wanted):
            held = _keys(connection, self._statements.held, about)
            wanted = {key: lease for key, lease in wanted.items() if key in held}
        done = _keys(connection, self._statements.done, about)
        if done & wanted.keys():
            connection.execute(self._statements.let_go, self._about(map(_as_row, done & wanted.keys())))
        return wanted | dict.fromkeys(done, LeaseStatus.COMPLETED)

    def _about(self, rows: Iterable[tuple[str, ...]]) -> dict[str, object]:
        """Always in the same order, so that two who write seldom lock each other."""
        return {"of_group": self._group, "rows": json.dumps(sorted(rows))}

    def _owned(self, lease: ProcessingLease) -> dict[str, object]:
        return {
            "of_group": self._group,
            "of_event": lease.key.interaction_id,
            "of_replay": lease.key.replay or NO_REPLAY,
            "of_token": lease.token,
        }


def _keys(connection: Connection, query: Select[Any, Any], about: dict[str, object]) -> set[EventKey]:
    rows = connection.execute(query, about)
    return {EventKey(interaction_id, replay or None) for interaction_id, replay in rows}


def _status(
    lease: ProcessingLease, statuses: Mapping[EventKey, ProcessingLease | LeaseStatus]
) -> ProcessingLease | LeaseStatus:
    """Of a key that was asked for twice, the first gets the lease."""
    status = statuses.get(lease.key, LeaseStatus.IN_PROGRESS)
    return status if status is lease or status is LeaseStatus.COMPLETED else LeaseStatus.IN_PROGRESS


def _as_row(key: EventKey) -> tuple[str, str]:
    return key.interaction_id.hex, key.replay or NO_REPLAY


def _as_row_with_token(lease: ProcessingLease) -> tuple[str, str, str]:
    return (*_as_row(lease.key), lease.token.hex)


def _order(lease: ProcessingLease) -> tuple[str, str]:
    return _as_row(lease.key)
