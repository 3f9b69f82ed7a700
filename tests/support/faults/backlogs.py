"""Fills an outbox at once, as an outage of hours would."""

from collections.abc import Iterable
from uuid import uuid4

from adapters.sql.database import Database
from adapters.sql.outbox import statements as outbox_statements
from adapters.sql.outbox.rows import new_row
from adapters.sql.schema.dialect import DatabaseNow
from domain.model.errors import OutboxUnavailableError
from domain.model.events.event import BatchProcessingCompleted
from domain.model.outbox import EventLease


def fill(database: Database, events: Iterable[BatchProcessingCompleted]) -> None:
    """Add all of them in one transaction: one by one would take a sync each."""
    add = outbox_statements.add(database.engine.dialect.name, DatabaseNow())
    rows = [new_row(EventLease(event, uuid4(), attempts=0), 0.0) for event in events]
    with database.writing(OutboxUnavailableError) as connection:
        connection.execute(add, rows)
