"""Callers with an API key of the service (`AUTH=key`)."""

import asyncio
import hmac
import logging
import time
from collections.abc import Callable

from adapters.auth.bearer import AUTHORIZATION_HEADER, bearer_of
from adapters.auth.recent import Recent
from domain.model.access import Caller, Credentials, proven_identity
from domain.model.api_keys import KEY_HEADER, KEY_PREFIX, ApiKey, KeyState, PlainKey, parse_key
from domain.model.errors import AuthenticatorUnavailableError, UnauthenticatedError
from ports.api_keys_port import ApiKeysPort
from ports.authenticator_port import AuthenticatorPort

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Time for which a key that has proved a caller is not looked up again."""
USE_SECONDS = 60.0
"""Longest time for which a use of a key need not be recorded."""
_NO_HASH = "0" * 64
"""Compared with the hash of a key that does not exist, so that its answer takes as long."""


class KeyAuthenticator(AuthenticatorPort):
    """Looks up each key in the store, at most once a second: a revoked one is refused within that.

    Tenant, user and scopes are those of the key. The key comes as `Authorization: Bearer`, or as `X-API-Key`
    where a proxy takes the other header for itself.
    """

    def __init__(self, keys: ApiKeysPort, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._proven = Recent[ApiKey](LOOK_SECONDS, clock)  # a busy caller costs no query
        self._recorded = Recent[bool](USE_SECONDS, clock)

    async def identify(self, credentials: Credentials, /) -> Caller:
        """Check form and checksum, then the secret, then the state."""
        key = _given(credentials)
        stored = self._proven.get(key.id) or await self._look_up(key)
        if not _is_secret_of(key, stored) or stored is None:
            raise UnauthenticatedError("There is no such key.")
        if stored.state is not KeyState.ACTIVE:
            raise UnauthenticatedError(f"The key {KEY_PREFIX}{stored.id} is {stored.state}.")
        await self._record_use(stored.id)
        grant = stored.grant
        identity = proven_identity(credentials, tenant_id=grant.tenant_id, user_id=grant.user_id)
        return Caller(identity, grant.scopes)

    async def _look_up(self, key: PlainKey) -> ApiKey | None:
        """Read a key from the store, and keep it if it proves its caller: guessed ones take no memory."""
        now = self._clock()
        stored = await asyncio.to_thread(self._keys.find, key.id)
        if stored is not None and _is_secret_of(key, stored):
            self._proven.keep(key.id, stored, now)
        return stored

    async def _record_use(self, key_id: str) -> None:
        """Record a use once in a while; where that fails, the caller is served nevertheless."""
        if self._recorded.get(key_id):
            return
        self._recorded.keep(key_id, True, self._clock())  # noqa: FBT003 - the value says that it is recorded
        try:
            await asyncio.to_thread(self._keys.record_use, key_id)
        except AuthenticatorUnavailableError as error:
            logger.warning("use of a key not recorded", extra={"key_id": key_id, "error": str(error)})


def key_text(credentials: Credentials) -> str | None:
    """Return what a request has in the place of a key; None where it has nothing there.

    Raises:
        UnauthenticatedError: there are several.
    """
    bearer, others = bearer_of(credentials), credentials.all_values(KEY_HEADER)
    given = [text for text in (bearer, *others) if text is not None]
    if len(given) > 1:
        raise UnauthenticatedError(f"Send one key, in {AUTHORIZATION_HEADER} or in {KEY_HEADER}.")
    return given[0] if given else None


def _given(credentials: Credentials) -> PlainKey:
    text = key_text(credentials)
    if text is None:
        raise UnauthenticatedError(
            f"Send a key: `{AUTHORIZATION_HEADER}: Bearer {KEY_PREFIX}…`.", has_credentials=False
        )
    key = parse_key(text.strip())
    if key is None:
        raise UnauthenticatedError("This is no key of the service; a letter may be wrong or missing.")
    return key


def _is_secret_of(key: PlainKey, stored: ApiKey | None) -> bool:
    return hmac.compare_digest(key.secret_hash, _NO_HASH if stored is None else stored.secret_hash)
