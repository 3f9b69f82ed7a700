"""Idempotent requests: work runs once for a key, and its answer is replayed to the next requests with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Lock, Thread
from uuid import UUID

from domain.model.errors import IdempotencyUnavailableError
from domain.model.idempotency import Answer, FirstAnswer, Reservation, key_scope
from domain.model.identity import Identity
from domain.services.resilience.background import logging_exceptions
from ports.idempotency_port import IdempotencyPort

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
"""The key of a server that died is free again after this time."""
RENEW_SECONDS = 20.0
"""Short enough that one renewal may fail, and the next one come late, before a lease expires."""

RENEWAL_FAILED = "unexpected error while renewing an idempotency key, retrying in the next round"


class IdempotentRequests:
    """Runs the work of a request once for each key of a caller, and replays its answer.

    The keys of a user of a tenant are no other caller's (`key_scope`). The store of keys is opened only for
    requests that have a key.
    """

    def __init__(self, store: Callable[[], IdempotencyPort]) -> None:
        self._store = store
        self._leases = LeaseRenewal(store)

    async def once(
        self, identity: Identity, key: str, fingerprint: str, work: Callable[[], Awaitable[Answer]]
    ) -> str:
        """Do the work for the first request with this key, and replay its answer, as JSON, to the next ones.

        An error is not stored: the next request with the key tries again. The fingerprint tells the content
        of one request from another's.

        Raises:
            IdempotencyError: the key belongs to other content, its first request is in progress, or the
                store cannot be reached.
        """
        begun = await asyncio.to_thread(
            self._store().begin, key_scope(identity), key, fingerprint, lease_seconds=LEASE_SECONDS
        )
        if isinstance(begun, FirstAnswer):
            logger.info("request repeated, replaying the first answer")
            return begun.json
        return await self._first(begun, identity.tenant_id, work)

    @contextmanager
    def renewing(self, *, every_seconds: float = RENEW_SECONDS) -> Iterator[None]:
        """Renew the keys of requests in flight, for as long as the context lasts."""
        with self._leases.running(every_seconds=every_seconds):
            yield

    def renew(self) -> None:
        """Renew the keys of requests in flight now."""
        self._leases.round()

    async def _first(
        self, reservation: Reservation, tenant_id: UUID, work: Callable[[], Awaitable[Answer]]
    ) -> str:
        try:
            with self._leases.holding(reservation, tenant_id):
                answer = await work()
        except BaseException:
            await _record(partial(self._store().abandon, reservation))
            raise
        await _record(partial(self._store().finish, reservation, answer))
        return answer.json


class LeaseRenewal:
    """Renews the reservations of all requests of this process, in a thread beside its event loop.

    A request that is answered within `RENEW_SECONDS` costs no write. The store of keys is opened only while
    there is something to renew.
    """

    def __init__(self, store: Callable[[], IdempotencyPort]) -> None:
        self._store = store
        self._lock = Lock()
        self._in_flight: dict[Reservation, UUID] = {}  # with the tenants, for the log

    @contextmanager
    def holding(self, reservation: Reservation, tenant_id: UUID) -> Iterator[None]:
        """Have a tenant's reservation renewed for as long as the context lasts."""
        with self._lock:
            self._in_flight[reservation] = tenant_id
        try:
            yield
        finally:
            self._remove(reservation)

    @contextmanager
    def running(self, *, every_seconds: float = RENEW_SECONDS) -> Iterator[None]:
        """Run a round every so many seconds, for as long as the context lasts."""
        stop = Event()
        thread = Thread(target=self._run, args=(stop, every_seconds), name="leases")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def round(self) -> None:
        """Renew all reservations; where the store is unavailable, leave the rest to the next round."""
        with self._lock:
            in_flight = tuple(self._in_flight)
        try:
            for reservation in in_flight:
                with logging_exceptions(RENEWAL_FAILED, reraise=(IdempotencyUnavailableError,)):
                    self._renew(reservation)
        except IdempotencyUnavailableError as error:
            logger.warning(
                "could not renew the leases of idempotency keys, retrying in the next round",
                extra={"in_flight": len(in_flight), "error": str(error)},
            )

    def _run(self, stop: Event, every_seconds: float) -> None:
        while not stop.wait(every_seconds):
            self.round()

    def _renew(self, reservation: Reservation) -> None:
        """Drop a stale reservation; that of a request which ended meanwhile is stale, too, and no loss."""
        renewed = self._store().renew(reservation, lease_seconds=LEASE_SECONDS)
        if not renewed and (tenant_id := self._remove(reservation)):
            logger.warning(
                "lost an idempotency key to another request, its lease had expired",
                extra={"tenant_id": str(tenant_id)},
            )

    def _remove(self, reservation: Reservation) -> UUID | None:
        """Return the tenant; None if the reservation is not in flight any more."""
        with self._lock:
            return self._in_flight.pop(reservation, None)


async def _record(outcome: Callable[[], bool]) -> None:
    """Store the outcome; where that fails, the caller still gets its answer or its error."""
    try:
        await asyncio.to_thread(outcome)
    except IdempotencyUnavailableError as error:
        logger.error(  # noqa: TRY400 - an expected outage, and the error names its cause
            "could not store the outcome of a request for its idempotency key", extra={"error": str(error)}
        )
