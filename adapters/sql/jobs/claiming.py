"""Claims: leases for jobs that are due, in the tenants' turns, in the caller's transaction."""

from uuid import UUID

from sqlalchemy import ColumnElement, Connection, text, update

from adapters.sql.jobs import statements
from adapters.sql.jobs.rows import JobRow, Parameters, readable
from adapters.sql.schema.tables import jobs
from domain.model.jobs import Job, JobState

CLAIM_LOCK = 7_236_017_114
"""The number of the advisory lock that claims on PostgreSQL take in turn; it must never change."""

UNREADABLE_SECONDS = 60.0
"""Delay before a job that this version cannot read is looked at again."""


class JobClaims:
    """Chooses and leases rows; `now` is the present time in SQL."""

    def __init__(self, now: ColumnElement[float]) -> None:
        self._now = now
        self._next = statements.next_in_turn(now)
        self._lease = statements.lease(now)

    def has_next(self, connection: Connection, asked: Parameters) -> bool:
        """Return true if a row is due; this only reads."""
        return connection.execute(self._next, asked | {"at_most": 1}).first() is not None

    def lease(self, connection: Connection, asked: Parameters, limit: int) -> tuple[Job, ...]:
        """Lease rows in turns until there are enough; claims on PostgreSQL wait for each other."""
        if connection.dialect.name != "sqlite":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({CLAIM_LOCK})"))
        rows: list[JobRow] = []
        while len(rows) < limit and (turn := self._turn(connection, asked, limit - len(rows))):
            rows += turn
        found = tuple(readable(sorted(rows, key=lambda row: row.created_at)))
        if len(found) < len(rows):
            self._leave(connection, {row.id for row in rows} - {job.id for job in found})
        return found

    def _turn(self, connection: Connection, asked: Parameters, limit: int) -> list[JobRow]:
        """Lease one row of each of the tenants with the fewest leased rows."""
        heads = connection.execute(self._next, asked | {"at_most": limit}).all()
        chosen = [each.id for each in heads if each.leased == heads[0].leased]
        return list(connection.execute(self._lease, asked | {"chosen": chosen}).all()) if chosen else []

    def _leave(self, connection: Connection, unreadable: set[UUID]) -> None:
        """Leave rows of a newer version to its workers, and do not claim them again at once."""
        values = {
            "state": JobState.QUEUED.value,
            "stage": None,
            "token": None,
            "lease_until": self._now,
            "due_at": self._now + UNREADABLE_SECONDS,
        }
        connection.execute(update(jobs).where(jobs.c.id.in_(unreadable)).values(values))
