"""What consumers have worked off, in a database: SQLite or PostgreSQL."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Select

from adapters.sql.clock import DatabaseNow
from adapters.sql.database import Database
from adapters.sql.processed_statements import PRUNE_BATCH, ProcessedStatements
from domain.model.errors import ProcessedEventsUnavailableError
from domain.model.processed import EventKey, Hold, Standing
from ports.processed_events_port import ProcessedEventsPort

NO_REPLAY = ""
"""What the key of an event that comes from no replay holds: a key has no empty parts."""


class SqlProcessedEvents(ProcessedEventsPort):
    """One row for each event and group; every method is one short transaction, however many the events.

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

    def claim(self, keys: Sequence[EventKey], /, *, lease_seconds: float) -> tuple[Hold | Standing, ...]:
        """Hold first, and look then whether it is done: who finishes meanwhile has written that down."""
        if not keys:
            return ()
        token, wanted = uuid4(), set(keys)
        about = self._about(wanted) | {"of_token": token, "lease_seconds": lease_seconds}
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            number = connection.execute(self._statements.hold, about).rowcount
            ours = wanted if number == len(wanted) else _keys(connection, self._statements.held, about)
            done = _keys(connection, self._statements.done, about)
            if done:
                connection.execute(self._statements.let_go, self._about(done & ours))
        return _standings(keys, token, ours - done, done)

    def renew(self, holds: Sequence[Hold], /, *, lease_seconds: float) -> int:
        """Update the rows of these tokens."""
        if not holds:
            return 0
        parameters = {"of_group": self._group, "rows": _rows(holds), "lease_seconds": lease_seconds}
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            return connection.execute(self._statements.renew, parameters).rowcount

    def finish(self, holds: Sequence[Hold], /, *, remember_seconds: float) -> None:
        """Write them down as done, and delete the holds, whoever has them by now."""
        if not holds:
            return
        about = self._about({hold.key for hold in holds}) | {"remember_seconds": remember_seconds}
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            connection.execute(self._statements.remember, about)
            connection.execute(self._statements.let_go, about)

    def give_up(self, holds: Sequence[Hold], /) -> None:
        """Delete the rows of these tokens."""
        if not holds:
            return
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            owned = [self._owned(hold) for hold in sorted(holds, key=_order)]
            connection.execute(self._statements.give_up, owned)

    def prune(self) -> int:
        """Delete batch by batch, each in a transaction of its own."""
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            erased = connection.execute(self._statements.prune_holds).rowcount
        while True:
            with self._database.writing(ProcessedEventsUnavailableError) as connection:
                batch = connection.execute(self._statements.prune).rowcount
            erased += batch
            if batch < PRUNE_BATCH:
                return erased

    def _about(self, keys: set[EventKey]) -> dict[str, object]:
        """Always in the same order, so that two who write never lock each other."""
        return {"of_group": self._group, "rows": json.dumps(sorted(map(_as_row, keys)))}

    def _owned(self, hold: Hold) -> dict[str, object]:
        return {
            "of_group": self._group,
            "of_event": hold.key.interaction_id,
            "of_replay": hold.key.replay or NO_REPLAY,
            "of_token": hold.token,
        }


def _keys(connection: Connection, query: Select[Any, Any], about: dict[str, object]) -> set[EventKey]:
    rows = connection.execute(query, about)
    return {EventKey(interaction_id, replay or None) for interaction_id, replay in rows}


def _standings(
    keys: Sequence[EventKey], token: UUID, ours: set[EventKey], done: set[EventKey]
) -> tuple[Hold | Standing, ...]:
    """Of a key that is ours and is named twice, the second is taken."""
    left = set(ours)
    standings = list[Hold | Standing]()
    for key in keys:
        if key in left:
            standings.append(Hold(key, token))
            left.remove(key)
        else:
            standings.append(Standing.DONE if key in done else Standing.TAKEN)
    return tuple(standings)


def _as_row(key: EventKey) -> tuple[str, str]:
    return key.interaction_id.hex, key.replay or NO_REPLAY


def _rows(holds: Sequence[Hold]) -> str:
    return json.dumps([(*_as_row(hold.key), hold.token.hex) for hold in sorted(holds, key=_order)])


def _order(hold: Hold) -> tuple[str, str]:
    return _as_row(hold.key)
