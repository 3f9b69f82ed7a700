"""Idempotency keys in this process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID, uuid4

from domain.model.errors import IdempotencyConflictError, IdempotencyInProgressError
from domain.model.idempotency import RETENTION_SECONDS, Answer, FirstAnswer, Reservation
from domain.model.identity import Interaction
from ports.idempotency_port import IdempotencyPort


@dataclass
class _Key:
    """A stored key; it expires with the lease, then with the answer."""

    fingerprint: str
    token: UUID
    expires_at: float
    answer: str | None = None
    interaction: Interaction | None = None


class InMemoryIdempotency(IdempotencyPort):
    """Stores keys until the process ends. The clock counts seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._keys: dict[tuple[UUID, str], _Key] = {}
        self._erased: set[UUID] = set()

    def begin(
        self, scope: UUID, key: str, fingerprint: str, /, *, lease_seconds: float
    ) -> Reservation | FirstAnswer:
        """Reserve the key, or return the first answer."""
        with self._lock:
            found = self._keys.get((scope, key))
            if found is None or found.expires_at <= self._clock():
                reservation = Reservation(scope, key, uuid4())
                expires_at = self._clock() + lease_seconds
                self._keys[scope, key] = _Key(fingerprint, reservation.token, expires_at)
                return reservation
        if found.fingerprint != fingerprint:
            raise IdempotencyConflictError(
                "This idempotency key was used with another recording, account or parameter."
            )
        if found.answer is None:
            raise IdempotencyInProgressError(
                "The first request with this idempotency key is still in progress."
            )
        return FirstAnswer(found.answer)

    def renew(self, reservation: Reservation, /, *, lease_seconds: float) -> bool:
        """Extend the reservation."""
        with self._lock:
            if (key := self._owned(reservation)) is None:
                return False
            key.expires_at = self._clock() + lease_seconds
            return True

    def finish(self, reservation: Reservation, answer: Answer, /) -> bool:
        """Store the answer."""
        with self._lock:
            if (key := self._owned(reservation)) is None or answer.interaction.id in self._erased:
                return False
            key.answer, key.interaction = answer.json, answer.interaction
            key.expires_at = self._clock() + RETENTION_SECONDS
            return True

    def abandon(self, reservation: Reservation, /) -> bool:
        """Delete the key."""
        with self._lock:
            if self._owned(reservation) is None:
                return False
            del self._keys[reservation.scope, reservation.key]
            return True

    def prune(self) -> int:
        """Delete expired keys."""
        with self._lock:
            old = [name for name, key in self._keys.items() if key.expires_at <= self._clock()]
            for name in old:
                del self._keys[name]
            return len(old)

    def answered(self) -> tuple[tuple[Interaction, datetime], ...]:
        """Return the interactions of all answers, with the times of the answers."""
        with self._lock:
            return tuple(
                (key.interaction, datetime.fromtimestamp(key.expires_at - RETENTION_SECONDS, UTC))
                for key in self._keys.values()
                if key.interaction is not None
            )

    def erase(self, interaction_id: UUID) -> int:
        """Delete the answers of an interaction, and refuse later ones; return how many there were."""
        with self._lock:
            self._erased.add(interaction_id)
            old = [
                name
                for name, key in self._keys.items()
                if key.interaction is not None and key.interaction.id == interaction_id
            ]
            for name in old:
                del self._keys[name]
            return len(old)

    def _owned(self, reservation: Reservation) -> _Key | None:
        key = self._keys.get((reservation.scope, reservation.key))
        return key if key and key.token == reservation.token and key.answer is None else None
