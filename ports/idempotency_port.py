"""Port of idempotency keys: a repeated request gets the answer of the first one."""

from abc import abstractmethod
from typing import Protocol
from uuid import UUID

from domain.model.idempotency import Answer, FirstAnswer, Reservation


class IdempotencyPort(Protocol):
    """Stores the answer to each key for a day; each scope has its own keys.

    Any number of threads, processes and machines may use it at once. Times are by the store's clock. Every
    method raises `IdempotencyUnavailableError` if the store cannot be reached, is full or fails.
    """

    @abstractmethod
    def begin(
        self, scope: UUID, key: str, fingerprint: str, /, *, lease_seconds: float
    ) -> Reservation | FirstAnswer:
        """Reserve a key for the first request, or return the answer to the first request.

        A reservation expires with its lease (its owner died), an answer after a day.

        Args:
            scope: the caller to whom the key belongs.
            key: the key that the client sent, of any length.
            fingerprint: identifies the recording and what else the request asks for.
            lease_seconds: how long the reservation is valid, unless it is renewed.

        Raises:
            IdempotencyConflictError: the key came with another fingerprint before, answered or not.
            IdempotencyInProgressError: the first request with this key is not answered yet.
        """
        ...

    @abstractmethod
    def renew(self, reservation: Reservation, /, *, lease_seconds: float) -> bool:
        """Extend the reservation to `lease_seconds` from now.

        An expired one is still valid until the key is reserved again or pruned.

        Returns:
            True if the reservation was valid; a stale or finished one changes nothing.
        """
        ...

    @abstractmethod
    def finish(self, reservation: Reservation, answer: Answer, /) -> bool:
        """Store the answer for a day from now, unless its interaction is erased meanwhile.

        Returns:
            True if the reservation was valid; a stale one changes nothing.
        """
        ...

    @abstractmethod
    def abandon(self, reservation: Reservation, /) -> bool:
        """Free the key, because there will be no answer to store.

        Returns:
            True if the reservation was valid; a stale or finished one changes nothing.
        """
        ...

    @abstractmethod
    def prune(self) -> int:
        """Delete expired keys; `begin` does not depend on it.

        Returns:
            The number of deleted keys.
        """
        ...
