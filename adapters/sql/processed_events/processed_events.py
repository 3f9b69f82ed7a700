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
from domain.model.consuming.lease import EventKey, Hold, Standing
from domain.model.errors import ProcessedEventsUnavailableError
from ports.processed_events_port import ProcessedEventsPort

NO_REPLAY = ""
"""What the key of an event that comes from no replay holds: a key has no empty parts."""


class _Asked(NamedTuple):
    """What one thread asks for: holds it would like to have, and what it has worked off."""

    holds: tuple[Hold, ...] = ()
    lease_seconds: float = 0.0
    done: tuple[EventKey, ...] = ()
    remember_seconds: float = 0.0


class SqlProcessedEvents(ProcessedEventsPort):
    """One row for each event and group.

    What threads claim and finish at the same time shares a transaction, and gets the longest time that any of
    them asks for.

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

    def claim(self, keys: Sequence[EventKey], /, *, lease_seconds: float) -> tuple[Hold | Standing, ...]:
        """Hold first, and look then whether it is done: who finishes meanwhile has written that down."""
        if not keys:
            return ()
        token = uuid4()
        return self._asking(_Asked(tuple(Hold(key, token) for key in keys), lease_seconds))

    def finish(self, holds: Sequence[Hold], /, *, remember_seconds: float) -> None:
        """Write them down as done, and delete the holds, whoever has them by now."""
        if holds:
            done = tuple(hold.key for hold in holds)
            self._asking(_Asked(done=done, remember_seconds=remember_seconds))

    def renew(self, holds: Sequence[Hold], /, *, lease_seconds: float) -> int:
        """Update the rows of these tokens."""
        if not holds:
            return 0
        about = self._about(map(_as_row_with_token, holds)) | {"lease_seconds": lease_seconds}
        with self._database.writing(ProcessedEventsUnavailableError) as connection:
            return connection.execute(self._statements.renew, about).rowcount

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

    def _write_certainly(self, write: Callable[[Connection], object]) -> None:
        self._database.write_certainly(write, ProcessedEventsUnavailableError)

    def _answer(
        self, connection: Connection, asked: Sequence[_Asked]
    ) -> Sequence[tuple[Hold | Standing, ...]]:
        """May be repeated: a hold is told by its token, and what is done stays done."""
        if done := {key for each in asked for key in each.done}:
            self._remember(connection, done, max(each.remember_seconds for each in asked))
        holds = [hold for each in asked for hold in each.holds]
        if not holds:
            return [() for _ in asked]
        standings = self._hold(connection, holds, max(each.lease_seconds for each in asked))
        return [tuple(_standing(hold, standings) for hold in each.holds) for each in asked]

    def _remember(self, connection: Connection, done: set[EventKey], seconds: float) -> None:
        about = self._about(map(_as_row, done))
        connection.execute(self._statements.remember, about | {"remember_seconds": seconds})
        connection.execute(self._statements.let_go, about)

    def _hold(
        self, connection: Connection, holds: Sequence[Hold], seconds: float
    ) -> dict[EventKey, Hold | Standing]:
        """How each event stands then; those that are missing are taken."""
        wanted = {hold.key: hold for hold in reversed(holds)}  # of a key that is named twice, the first one
        about = self._about(map(_as_row_with_token, wanted.values())) | {"lease_seconds": seconds}
        number = connection.execute(self._statements.hold, about).rowcount
        if number < len(wanted):
            held = _keys(connection, self._statements.held, about)
            wanted = {key: hold for key, hold in wanted.items() if key in held}
        done = _keys(connection, self._statements.done, about)
        if done & wanted.keys():
            connection.execute(self._statements.let_go, self._about(map(_as_row, done & wanted.keys())))
        return wanted | dict.fromkeys(done, Standing.DONE)

    def _about(self, rows: Iterable[tuple[str, ...]]) -> dict[str, object]:
        """Always in the same order, so that two who write seldom lock each other."""
        return {"of_group": self._group, "rows": json.dumps(sorted(rows))}

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


def _standing(hold: Hold, standings: Mapping[EventKey, Hold | Standing]) -> Hold | Standing:
    """Of a key that was asked for twice, the first gets the hold."""
    standing = standings.get(hold.key, Standing.TAKEN)
    return standing if standing is hold or standing is Standing.DONE else Standing.TAKEN


def _as_row(key: EventKey) -> tuple[str, str]:
    return key.interaction_id.hex, key.replay or NO_REPLAY


def _as_row_with_token(hold: Hold) -> tuple[str, str, str]:
    return (*_as_row(hold.key), hold.token.hex)


def _order(hold: Hold) -> tuple[str, str]:
    return _as_row(hold.key)
