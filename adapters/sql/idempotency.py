"""Idempotency keys in a database: SQLite or PostgreSQL."""

from hashlib import sha256
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, bindparam, delete, null, select, update
from sqlalchemy.sql.selectable import TypedReturnsRows

from adapters.sql.database import Database
from adapters.sql.schema.dialect import DatabaseNow, insert_into
from adapters.sql.schema.tables import idempotency_keys, is_erased
from domain.model.errors import (
    IdempotencyConflictError,
    IdempotencyInProgressError,
    IdempotencyUnavailableError,
)
from domain.model.idempotency import RETENTION_SECONDS, Answer, FirstAnswer, Reservation
from ports.idempotency_port import IdempotencyPort

_KEY = idempotency_keys.c


class SqlIdempotency(IdempotencyPort):
    """Stores one row per key, with a hash of the key, which may be long and private to the client.

    `now` is the current time, in SQL: the database's clock, except in tests.
    """

    def __init__(self, database: Database, *, now: ColumnElement[float] | None = None) -> None:
        self._database = database
        self._now = DatabaseNow() if now is None else now

    def begin(
        self, scope: UUID, key: str, fingerprint: str, /, *, lease_seconds: float
    ) -> Reservation | FirstAnswer:
        """Insert the key or take over an expired one; otherwise read the existing row."""
        reservation = Reservation(scope, key, uuid4())
        with self._database.writing(IdempotencyUnavailableError) as connection:
            if connection.execute(self._reserve(reservation, fingerprint, lease_seconds)).first():
                return reservation
            query = select(_KEY.fingerprint, _KEY.answer).where(_KEY.scope == scope)
            found = connection.execute(query.where(_KEY.key_hash == _hash(key))).one_or_none()
        return _first_answer(found, fingerprint)

    def renew(self, reservation: Reservation, /, *, lease_seconds: float) -> bool:
        """Update the row of the reservation."""
        expires_at = self._now + bindparam("lease_seconds", lease_seconds)
        renewed = update(idempotency_keys).where(*_owned(reservation)).values(expires_at=expires_at)
        with self._database.writing(IdempotencyUnavailableError) as connection:
            return connection.execute(renewed).rowcount == 1

    def finish(self, reservation: Reservation, answer: Answer, /) -> bool:
        """Update the row of the reservation."""
        id_, tenant_id, user_id, _ = answer.interaction
        statement = update(idempotency_keys).where(*_owned(reservation), ~is_erased(id_))
        owner = {"interaction_id": id_, "owner_tenant_id": tenant_id, "owner_user_id": user_id}
        expires_at = self._now + RETENTION_SECONDS
        kept = statement.values(answer=answer.json, expires_at=expires_at, **owner)
        with self._database.writing(IdempotencyUnavailableError) as connection:
            return connection.execute(kept).rowcount == 1

    def abandon(self, reservation: Reservation, /) -> bool:
        """Delete the row of the reservation."""
        with self._database.writing(IdempotencyUnavailableError) as connection:
            return connection.execute(delete(idempotency_keys).where(*_owned(reservation))).rowcount == 1

    def prune(self) -> int:
        """Delete expired keys."""
        with self._database.writing(IdempotencyUnavailableError) as connection:
            return connection.execute(delete(idempotency_keys).where(_KEY.expires_at <= self._now)).rowcount

    def _reserve(
        self, reservation: Reservation, fingerprint: str, lease_seconds: float
    ) -> TypedReturnsRows[UUID]:
        """Build a statement that returns a row if the reservation was made."""
        changes = {
            "fingerprint": fingerprint,
            "token": reservation.token,
            "expires_at": self._now + bindparam("lease_seconds", lease_seconds),
            "answer": null(),
            "interaction_id": null(),
            "owner_tenant_id": null(),
            "owner_user_id": null(),
        }
        dialect = self._database.engine.dialect.name
        statement = insert_into(dialect, idempotency_keys).values(
            scope=reservation.scope, key_hash=_hash(reservation.key), **changes
        )
        taken_over = statement.on_conflict_do_update(
            index_elements=[_KEY.scope, _KEY.key_hash], set_=changes, where=_KEY.expires_at <= self._now
        )
        return taken_over.returning(_KEY.token)


def _first_answer(found: Row[str, str | None] | None, fingerprint: str) -> FirstAnswer:
    if found is not None and found.fingerprint != fingerprint:
        raise IdempotencyConflictError(
            "This idempotency key was used with another recording, account or parameter."
        )
    if found is None or found.answer is None:  # None: just freed; a later request will be the first
        raise IdempotencyInProgressError("The first request with this idempotency key is still in progress.")
    return FirstAnswer(found.answer)


def _owned(reservation: Reservation) -> tuple[ColumnElement[bool], ...]:
    return (
        _KEY.scope == reservation.scope,
        _KEY.key_hash == _hash(reservation.key),
        _KEY.token == reservation.token,
        _KEY.answer.is_(None),
    )


def _hash(key: str) -> str:
    return sha256(key.encode(errors="surrogatepass")).hexdigest()
