"""Cache of an issuer's keys, which outlives the issuer's outages and no flood of unknown keys can empty."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import NamedTuple

from adapters.auth.documents import DocumentError
from adapters.auth.jwks import FETCH_SECONDS, Keys
from domain.model.errors import AuthenticatorUnavailableError
from domain.services.resilience.background import logging_exceptions

logger = logging.getLogger(__name__)

LIFETIME_SECONDS = 600.0
"""Age from which keys are fetched anew, while they stay in use."""
STALE_SECONDS = 3600.0
"""Time beyond their lifetime for which keys stay in use while the issuer cannot be reached."""
COOLDOWN_SECONDS = 30.0
"""Time from the start of a fetch, also of a failed one, to the next."""


class _Held(NamedTuple):
    keys: Keys
    fetched_at: float


class KeyCache:
    """Keys of an issuer, fetched in a thread.

    A request waits for a fetch only where no key that is held can verify its token. An object belongs to one
    event loop.
    """

    def __init__(
        self,
        fetch: Callable[[], Keys],
        *,
        clock: Callable[[], float] = time.monotonic,
        patience_seconds: float = FETCH_SECONDS,  # longest wait of a request
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._held: _Held | None = None
        self._begun_at: float | None = None
        self._fetching: Future[None] | None = None
        self._is_outage = False

    @property
    def age_seconds(self) -> float | None:
        """Age of the keys; None where there are none."""
        return None if self._held is None else self._clock() - self._held.fetched_at

    async def current(self) -> Keys:
        """Return the keys; those past their lifetime are fetched anew in the background.

        Raises:
            AuthenticatorUnavailableError: the issuer cannot be reached, and there are no keys, or they are
                too old.
        """
        age = self.age_seconds
        if self._held is not None and age is not None and age <= LIFETIME_SECONDS + STALE_SECONDS:
            if age >= LIFETIME_SECONDS:
                self.refresh()
            return self._held.keys
        keys = await self.newer(self._held and self._held.keys)
        if keys is None:
            raise AuthenticatorUnavailableError(
                "Tokens cannot be verified at present: the keys of their issuer cannot be fetched."
            )
        return keys

    async def newer(self, known: Keys | None) -> Keys | None:
        """Return keys that replace `known`, and wait for them if they may be fetched; else None."""
        if self._held is None or self._held.keys is known:
            await self._wait(self.refresh())
        return None if self._held is None or self._held.keys is known else self._held.keys

    def refresh(self) -> Future[None] | None:
        """Begin to fetch the keys, and return the fetch that is under way; None before the next is due."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        now = self._clock()
        if self._begun_at is not None and now - self._begun_at < COOLDOWN_SECONDS:
            return None
        self._begun_at = now
        fetching: Future[None] = Future()
        Thread(target=self._run, args=(fetching, now), name="jwks", daemon=True).start()
        self._fetching = fetching
        return fetching

    async def _wait(self, fetching: Future[None] | None) -> None:
        if fetching is not None:
            await asyncio.wait([asyncio.wrap_future(fetching)], timeout=self._patience_seconds)

    def _run(self, fetching: Future[None], begun_at: float) -> None:
        with logging_exceptions("fetching the issuer's keys failed unexpectedly"):
            try:
                self._held = _Held(self._fetch(), begun_at)
                self._note_success()
            except DocumentError as error:
                self._note_failure(error)
        fetching.set_result(None)

    def _note_failure(self, error: DocumentError) -> None:
        if not self._is_outage:
            held = f"those held stay in use for {STALE_SECONDS:.0f} s beyond their lifetime"
            then = "requests are answered 503" if self._held is None else held
            logger.warning(
                "keys of the issuer cannot be fetched", extra={"error": str(error), "consequence": then}
            )
        self._is_outage = True

    def _note_success(self) -> None:
        if self._is_outage:
            logger.info("keys of the issuer are fetched again")
        self._is_outage = False
