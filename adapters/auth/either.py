"""Callers with a key or a token (`AUTH=token,key`)."""

from adapters.auth.keys import key_text
from domain.model.access import Caller, Credentials
from domain.model.api_keys import KEY_HEADER, KEY_PREFIX
from ports.authenticator_port import AuthenticatorPort


class KeyOrTokenAuthenticator(AuthenticatorPort):
    """Chooses by the form of the credentials: what begins as a key is one, all else is a token."""

    def __init__(self, keys: AuthenticatorPort, tokens: AuthenticatorPort) -> None:
        self._keys = keys
        self._tokens = tokens

    async def identify(self, credentials: Credentials, /) -> Caller:
        """Ask the authenticator whose credentials these are."""
        is_key = credentials.all_values(KEY_HEADER) or (key_text(credentials) or "").startswith(KEY_PREFIX)
        return await (self._keys if is_key else self._tokens).identify(credentials)
