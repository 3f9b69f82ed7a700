"""Port of API keys: stores what proves the callers that have one."""

from abc import abstractmethod
from typing import Protocol
from uuid import UUID

from domain.model.api_keys import ApiKey, NewApiKey


class ApiKeysPort(Protocol):
    """Stores keys by their public id, with a hash of the secret part.

    A session is a key that a browser has traded for another one: it ends, and is revoked, with that one at
    the latest.

    Any number of threads, processes and machines may use it at once; a change shows in the next look. Times
    are by the store's clock. Every method raises `AuthenticatorUnavailableError` if the store cannot be
    reached, is full or fails.
    """

    @abstractmethod
    def add(self, key: NewApiKey, /, *, replaces: str | None = None, overlap_seconds: float = 0.0) -> None:
        """Store a key, whose lifetime begins now; a key with the same id is never overwritten.

        `replaces` is the id of a key that ends after `overlap_seconds`, unless it ends before; both changes
        are made, or none. Adding a session deletes the sessions that have expired.
        """
        ...

    @abstractmethod
    def find(self, key_id: str, /) -> ApiKey | None:
        """Return a key in any state; None where there is none with this id."""
        ...

    @abstractmethod
    def newest(self, tenant_id: UUID | None, /, *, limit: int) -> tuple[ApiKey, ...]:
        """Return keys in any state but no sessions, the newest first; of one tenant, or of all for None."""
        ...

    @abstractmethod
    def revoke(self, key_id: str, /) -> bool:
        """Revoke a key for good; a second call keeps the time of the first.

        Returns:
            True where there is a key with this id.
        """
        ...

    @abstractmethod
    def record_use(self, key_id: str, /) -> None:
        """Record that a key is used now, to the minute; an unknown id changes nothing."""
        ...
