"""How a request that is repeated gets the answer that the first one got."""

from abc import abstractmethod
from typing import Protocol
from uuid import UUID

from domain.model.idempotency import FirstAnswer, Reservation


class IdempotencyPort(Protocol):
    """Remembers for a day what was answered to which key; the keys of one tenant are not another's.

    Any number of threads, processes and machines may use it at once. Time is the store's own. Every method
    raises `IdempotencyUnavailableError` where the store cannot be reached, is full or fails.
    """

    @abstractmethod
    def begin(
        self, tenant_id: UUID, key: str, fingerprint: str, /, *, lease_seconds: float
    ) -> Reservation | FirstAnswer:
        """Be the first with a key, or learn what the first one was answered.

        A reservation whose lease ran out (its owner died) is forgotten, and so is an answer after a day.

        Args:
            tenant_id: whose key it is.
            key: what the client sent, of any length.
            fingerprint: tells one recording from another.
            lease_seconds: how long the reservation holds, unless it is renewed.

        Raises:
            IdempotencyConflictError: the key came with another recording before, answered or not.
            IdempotencyInProgressError: the first request with this key is not answered yet.
        """
        ...

    @abstractmethod
    def renew(self, reservation: Reservation, /, *, lease_seconds: float) -> bool:
        """Let the reservation hold for `lease_seconds`, from now on.

        One that ran out still counts as long as nobody else has the key and nobody has erased it.

        Returns:
            Whether the reservation still counted; a stale or finished one changes nothing.
        """
        ...

    @abstractmethod
    def finish(self, reservation: Reservation, answer_json: str, /) -> bool:
        """Keep the answer for a day, from now on.

        Returns:
            Whether the reservation still counted; a stale one changes nothing.
        """
        ...

    @abstractmethod
    def abandon(self, reservation: Reservation, /) -> bool:
        """Free the key, because there will be no answer worth keeping.

        Returns:
            Whether the reservation still counted; a stale or finished one changes nothing.
        """
        ...

    @abstractmethod
    def prune(self) -> int:
        """Erase what is forgotten; `begin` does not depend on it.

        Returns:
            How many keys that were.
        """
        ...
