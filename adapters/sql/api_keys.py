"""API keys in a database: SQLite or PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from adapters.sql.database import Database
from adapters.sql.row_lookup import RowLookup
from adapters.sql.schema.dialect import DatabaseNow
from adapters.sql.schema.tables import api_keys
from domain.model.access import Scope
from domain.model.api_keys import ApiKey, KeyGrant, NewApiKey
from domain.model.errors import AuthenticatorUnavailableError
from ports.api_keys_port import ApiKeysPort

_KEY = api_keys.c
_WHOLE = api_keys.alias("whole")
"""The key of a session."""
_ID: BindParameter[str] = bindparam("key_id")


class SqlApiKeys(ApiKeysPort):
    """Stores one row for each key; each look is a query, so that a revoked key is refused at once.

    `now` is the present time in SQL: the database's clock, or another one in tests.
    """

    def __init__(self, database: Database, *, now: ColumnElement[float] | None = None) -> None:
        self._database = database
        self._now = DatabaseNow() if now is None else now
        self._keys = _query(self._now)
        self._row_of = RowLookup(database, self._keys.where(_KEY.id == _ID), AuthenticatorUnavailableError)

    def add(self, key: NewApiKey, /, *, replaces: str | None = None, overlap_seconds: float = 0.0) -> None:
        """Insert the key, and shorten the life of the one that it replaces, in one transaction."""
        with self._database.writing(AuthenticatorUnavailableError) as connection:
            connection.execute(insert(api_keys).values(**self._row(key)))
            if key.session_of is not None:
                self._delete_expired_sessions(connection)
            if replaces is not None:
                end = self._now + bindparam("overlap_seconds", overlap_seconds)
                earlier = case((_KEY.expires_at < end, _KEY.expires_at), else_=end)
                connection.execute(
                    update(api_keys)
                    .where(_KEY.id == bindparam("key_id", replaces))
                    .values(expires_at=earlier)
                )

    def find(self, key_id: str, /) -> ApiKey | None:
        """Read one row, by its primary key."""
        row = self._row_of(key_id=key_id)
        return None if row is None else _key(row)

    def newest(self, tenant_id: UUID | None, /, *, limit: int) -> tuple[ApiKey, ...]:
        """Read the rows in the order of the index."""
        keys = self._keys.where(_KEY.session_of.is_(None))
        query = keys.order_by(_KEY.created_at.desc(), _KEY.id.desc()).limit(limit)
        if tenant_id is not None:
            query = query.where(_KEY.tenant_id == tenant_id)
        with self._database.reading(AuthenticatorUnavailableError) as connection:
            return tuple(map(_key, connection.execute(query)))

    def revoke(self, key_id: str, /) -> bool:
        """Set the time of revocation, unless it is set."""
        revoked_at = func.coalesce(_KEY.revoked_at, self._now)
        statement = update(api_keys).where(_KEY.id == _ID).values(revoked_at=revoked_at)
        with self._database.writing(AuthenticatorUnavailableError) as connection:
            return connection.execute(statement, {"key_id": key_id}).rowcount == 1

    def record_use(self, key_id: str, /) -> None:
        """Set the time of the last use."""
        statement = update(api_keys).where(_KEY.id == _ID).values(last_used_at=self._now)
        with self._database.writing(AuthenticatorUnavailableError) as connection:
            connection.execute(statement, {"key_id": key_id})

    def _delete_expired_sessions(self, connection: Connection) -> None:
        is_over = _KEY.session_of.is_not(None) & (_KEY.expires_at <= self._now)
        connection.execute(delete(api_keys).where(is_over))

    def _row(self, key: NewApiKey) -> dict[str, object]:
        lifetime = key.lifetime_seconds
        return {
            "id": key.id,
            "secret_hash": key.secret_hash,
            "tenant_id": key.grant.tenant_id,
            "user_id": key.grant.user_id,
            "scopes": ",".join(sorted(key.grant.scopes)),
            "label": key.grant.label,
            "created_at": self._now,
            "expires_at": None if lifetime is None else self._now + bindparam("lifetime", lifetime),
            "session_of": key.session_of,
        }


def _query(now: ColumnElement[float]) -> Select[*tuple[Any, ...]]:
    """Select keys as the port describes them: a session ends, and is revoked, with its key."""
    expires_at = case((_WHOLE.c.expires_at < _KEY.expires_at, _WHOLE.c.expires_at), else_=_KEY.expires_at)
    revoked_at = func.coalesce(_KEY.revoked_at, _WHOLE.c.revoked_at)
    columns = (
        *(_KEY.id, _KEY.secret_hash, _KEY.tenant_id, _KEY.user_id, _KEY.scopes, _KEY.label, _KEY.created_at),
        *(expires_at.label("expires_at"), revoked_at.label("revoked_at")),
        *(_KEY.last_used_at, _KEY.session_of, now.label("read_at")),
    )
    return select(*columns).outerjoin(_WHOLE, _WHOLE.c.id == _KEY.session_of)


def _key(row: Sequence[Any]) -> ApiKey:
    key_id, secret_hash, tenant, user_id, scopes, label, created, *rest = row
    expires, revoked, used, session_of, read = rest
    used_at = _time_or_none(used)
    return ApiKey(
        id=key_id,
        secret_hash=secret_hash,
        grant=KeyGrant(_uuid(tenant), user_id, frozenset(map(Scope, scopes.split(","))), label),
        created_at=_time(created),
        expires_at=_time_or_none(expires),
        revoked_at=_time_or_none(revoked),
        last_used_at=used_at and used_at.replace(second=0, microsecond=0),
        read_at=_time(read),
        session_of=session_of,
    )


def _uuid(value: UUID | str) -> UUID:
    """Return a UUID, which SQLite's driver returns as text."""
    return value if isinstance(value, UUID) else UUID(value)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _time_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else _time(seconds)
