"""API keys in this process."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID

from domain.model.api_keys import ApiKey, KeyState, NewApiKey
from domain.model.errors import AuthenticatorUnavailableError
from ports.api_keys_port import ApiKeysPort


class InMemoryApiKeys(ApiKeysPort):
    """Stores keys until the process ends. The clock counts seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._keys: dict[str, ApiKey] = {}

    def add(self, key: NewApiKey, /, *, replaces: str | None = None, overlap_seconds: float = 0.0) -> None:
        """Add the key, and shorten the life of the one that it replaces."""
        with self._lock:
            if key.id in self._keys:
                raise AuthenticatorUnavailableError(f"There is a key with the id {key.id} already.")
            self._keys[key.id] = self._stored(key)
            if key.session_of is not None:
                self._delete_expired_sessions()
            if replaces is not None and (old := self._keys.get(replaces)):
                end = self._now() + timedelta(seconds=overlap_seconds)
                self._keys[replaces] = replace(old, expires_at=min(old.expires_at or end, end))

    def find(self, key_id: str, /) -> ApiKey | None:
        """Return the key, read now."""
        with self._lock:
            key = self._keys.get(key_id)
            return key and replace(self._within_its_key(key), read_at=self._now())

    def newest(self, tenant_id: UUID | None, /, *, limit: int) -> tuple[ApiKey, ...]:
        """Sort the keys by their age."""
        with self._lock:
            own = (key for key in self._keys.values() if tenant_id in {None, key.grant.tenant_id})
            keys = [key for key in own if key.session_of is None]
        newest = sorted(keys, key=lambda key: (key.created_at, key.id), reverse=True)[:limit]
        return tuple(replace(key, read_at=self._now()) for key in newest)

    def revoke(self, key_id: str, /) -> bool:
        """Set the time of revocation, unless it is set."""
        with self._lock:
            key = self._keys.get(key_id)
            if key is not None:
                self._keys[key_id] = replace(key, revoked_at=key.revoked_at or self._now())
            return key is not None

    def record_use(self, key_id: str, /) -> None:
        """Set the time of the last use to the beginning of this minute."""
        with self._lock:
            if key := self._keys.get(key_id):
                minute = self._now().replace(second=0, microsecond=0)
                self._keys[key_id] = replace(key, last_used_at=minute)

    def _stored(self, key: NewApiKey) -> ApiKey:
        now, lifetime = self._now(), key.lifetime_seconds
        expires_at = None if lifetime is None else now + timedelta(seconds=lifetime)
        return ApiKey(key.id, key.secret_hash, key.grant, now, expires_at, None, None, now, key.session_of)

    def _within_its_key(self, key: ApiKey) -> ApiKey:
        """End a session with its key, which is never deleted."""
        if key.session_of is None:
            return key
        whole = self._keys[key.session_of]
        ends = [end for end in (key.expires_at, whole.expires_at) if end is not None]
        return replace(key, expires_at=min(ends), revoked_at=key.revoked_at or whole.revoked_at)

    def _delete_expired_sessions(self) -> None:
        sessions = [self._keys[key_id] for key_id, key in self._keys.items() if key.session_of is not None]
        for session in sessions:
            if replace(session, read_at=self._now()).state is KeyState.EXPIRED:
                del self._keys[session.id]

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
