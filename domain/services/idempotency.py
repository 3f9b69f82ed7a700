"""Keeps the idempotency keys of requests that take long from running out."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from domain.model.errors import IdempotencyUnavailableError
from domain.model.idempotency import Reservation
from domain.services.resilience.background import logging_exceptions
from ports.idempotency_port import IdempotencyPort

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
"""A key whose server died is free again after it."""
RENEW_SECONDS = 20.0
"""So that a renewal may fail, and the next one come late, before a lease runs out."""

BROKE_DOWN = "the renewal of an idempotency key broke down"


class LeaseRenewal:
    """Renews the reservations of all requests that a process works on, in a thread beside its event loop.

    A request that is answered within `RENEW_SECONDS` costs no write.

    Args:
        store: gives the store of keys; asked only while there is something to renew.
    """

    def __init__(self, store: Callable[[], IdempotencyPort]) -> None:
        self._store = store
        self._lock = Lock()
        self._in_hand: set[Reservation] = set()

    @contextmanager
    def holding(self, reservation: Reservation) -> Iterator[None]:
        """Have a reservation renewed for as long as the context lasts."""
        with self._lock:
            self._in_hand.add(reservation)
        try:
            yield
        finally:
            self._let_go(reservation)

    @contextmanager
    def running(self, *, every_seconds: float = RENEW_SECONDS) -> Iterator[None]:
        """Do one round now and then, for as long as the context lasts."""
        stop = Event()
        thread = Thread(target=self._run, args=(stop, every_seconds), name="leases")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def round(self) -> None:
        """Renew what is in hand; where the store cannot be had, leave the rest to the next round."""
        with self._lock:
            in_hand = tuple(self._in_hand)
        try:
            for reservation in in_hand:
                with logging_exceptions(BROKE_DOWN, reraise=(IdempotencyUnavailableError,)):
                    self._renew(reservation)
        except IdempotencyUnavailableError as error:
            logger.warning(
                "leases of idempotency keys could not be renewed",
                extra={"in_hand": len(in_hand), "error": str(error)},
            )

    def _run(self, stop: Event, every_seconds: float) -> None:
        while not stop.wait(every_seconds):
            self.round()

    def _renew(self, reservation: Reservation) -> None:
        """A stale reservation is given up; it also counts no longer where its request ended meanwhile."""
        renewed = self._store().renew(reservation, lease_seconds=LEASE_SECONDS)
        if not renewed and self._let_go(reservation):
            logger.warning(
                "an idempotency key was lost to another request",
                extra={"tenant_id": str(reservation.tenant_id)},
            )

    def _let_go(self, reservation: Reservation) -> bool:
        with self._lock:
            was_in_hand = reservation in self._in_hand
            self._in_hand.discard(reservation)
        return was_in_hand
