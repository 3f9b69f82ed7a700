"""API keys: creates and rotates them; the key itself is known to the caller of these methods alone."""

from typing import NamedTuple

from domain.model.api_keys import KEY_PREFIX, ApiKey, KeyGrant, KeyState, NewApiKey, PlainKey, new_key
from domain.model.errors import ApiKeyError
from ports.api_keys_port import ApiKeysPort

SESSION_SECONDS = 8 * 3600.0
"""Life of a browser's session, about a day at work."""


class IssuedKey(NamedTuple):
    """Key that was just stored."""

    plain: PlainKey  # to be shown once
    stored: ApiKey


class ApiKeyService:
    """Issues keys; every method may block."""

    def __init__(self, keys: ApiKeysPort) -> None:
        self._keys = keys

    def create(self, grant: KeyGrant, *, lifetime_seconds: float | None) -> IssuedKey:
        """Store a new key with these rights."""
        plain = new_key()
        self._keys.add(NewApiKey(plain.id, plain.secret_hash, grant, lifetime_seconds))
        return IssuedKey(plain, self._found(plain.id))

    def rotate(self, key_id: str, *, lifetime_seconds: float | None, overlap_seconds: float) -> IssuedKey:
        """Store a new key with the rights of an old one, which ends after the overlap.

        Raises:
            ApiKeyError: there is no such key, or it is revoked, and so must not live on in another one.
        """
        old = self._found(key_id)
        if old.state is KeyState.REVOKED:
            raise ApiKeyError(f"The key {KEY_PREFIX}{key_id} is revoked; create a new one.")
        plain = new_key()
        new = NewApiKey(plain.id, plain.secret_hash, old.grant, lifetime_seconds)
        self._keys.add(new, replaces=key_id, overlap_seconds=overlap_seconds)
        return IssuedKey(plain, self._found(plain.id))

    def open_session(self, key_id: str) -> IssuedKey:
        """Store a session with the rights of a key, for a browser that has proved the key.

        A session of a session is one of its key.

        Raises:
            ApiKeyError: there is no such key.
        """
        key, plain = self._found(key_id), new_key()
        session_of = key.session_of or key.id
        self._keys.add(NewApiKey(plain.id, plain.secret_hash, key.grant, SESSION_SECONDS, session_of))
        return IssuedKey(plain, self._found(plain.id))

    def end_session(self, key_id: str) -> None:
        """Revoke a session; a key that is none stays as it is.

        Raises:
            ApiKeyError: there is no such key.
        """
        if self._found(key_id).session_of is not None:
            self._keys.revoke(key_id)

    def _found(self, key_id: str) -> ApiKey:
        key = self._keys.find(key_id)
        if key is None:
            raise ApiKeyError(f"There is no key {KEY_PREFIX}{key_id}.")
        return key
