"""One transaction for the leases that several threads ask for, and the events that they have completed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select

from adapters.sql.processed_events.statements import ProcessedStatements
from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease

NO_REPLAY = ""
"""Stored as the replay name of an event that comes from no replay: a primary key has no NULLs."""

_Keys = Select[*tuple[Any, ...]]

Answer = tuple[ProcessingLease | LeaseStatus, ...]
"""The answer to one request: an entry for each lease that it asks for."""


class Request(NamedTuple):
    """The leases that one thread asks for, and the events that it has completed."""

    leases: tuple[ProcessingLease, ...] = ()
    lease_seconds: float = 0.0
    completed: tuple[EventKey, ...] = ()
    retention_seconds: float = 0.0


class GroupTransaction:
    """Answers the requests of several threads of one consumer group.

    It may be repeated: a lease is known by its token, and a completed event stays completed.
    """

    def __init__(self, statements: ProcessedStatements, group: str) -> None:
        self._statements = statements
        self._group = group

    def answer(self, connection: Connection, requests: Sequence[Request]) -> Sequence[Answer]:
        """Record completed events, then lease; every request gets the longest time that any asks for."""
        if completed := {key for each in requests for key in each.completed}:
            self._remember(connection, completed, max(each.retention_seconds for each in requests))
        leases = [lease for each in requests for lease in each.leases]
        if not leases:
            return [() for _ in requests]
        statuses = self._lease(connection, leases, max(each.lease_seconds for each in requests))
        return [tuple(_status(lease, statuses) for lease in each.leases) for each in requests]

    def parameters(self, rows: Iterable[tuple[str, ...]]) -> dict[str, object]:
        """Return rows in one order, so that two transactions seldom block each other."""
        return {"of_group": self._group, "rows": json.dumps(sorted(rows))}

    def _remember(self, connection: Connection, completed: set[EventKey], seconds: float) -> None:
        parameters = self.parameters(map(_as_row, completed))
        connection.execute(self._statements.complete, parameters | {"retention_seconds": seconds})
        connection.execute(self._statements.delete_leases, parameters)

    def _lease(
        self, connection: Connection, leases: Sequence[ProcessingLease], seconds: float
    ) -> dict[EventKey, ProcessingLease | LeaseStatus]:
        """Return the lease or the status of each event; a missing one is leased by another consumer.

        Leases are inserted before the processed events are read: an event that another process completes
        meanwhile is recorded by then.
        """
        wanted = {lease.key: lease for lease in reversed(leases)}  # the first lease of a key named twice
        parameters = self.parameters(map(as_row_with_token, wanted.values())) | {"lease_seconds": seconds}
        number = connection.execute(self._statements.lease, parameters).rowcount
        if number < len(wanted):
            owned = _keys(connection, self._statements.owned, parameters)
            wanted = {key: lease for key, lease in wanted.items() if key in owned}
        done = _keys(connection, self._statements.completed, parameters)
        if superfluous := done & wanted.keys():
            connection.execute(self._statements.delete_leases, self.parameters(map(_as_row, superfluous)))
        return wanted | dict.fromkeys(done, LeaseStatus.COMPLETED)


def as_row_with_token(lease: ProcessingLease) -> tuple[str, str, str, str]:
    """Return a lease as a row of JSON: event, replay, type, token."""
    return (*_as_row(lease.key), lease.token.hex)


def _as_row(key: EventKey) -> tuple[str, str, str]:
    return key.interaction_id.hex, key.replay or NO_REPLAY, key.detail_type


def _keys(connection: Connection, query: _Keys, parameters: dict[str, object]) -> set[EventKey]:
    rows = connection.execute(query, parameters)
    return {
        EventKey(detail_type, interaction_id, replay or None) for interaction_id, replay, detail_type in rows
    }


def _status(
    lease: ProcessingLease, statuses: Mapping[EventKey, ProcessingLease | LeaseStatus]
) -> ProcessingLease | LeaseStatus:
    """Return the status of one lease: of a key named twice, only the first gets it."""
    status = statuses.get(lease.key, LeaseStatus.IN_PROGRESS)
    return status if status is lease or status is LeaseStatus.COMPLETED else LeaseStatus.IN_PROGRESS
