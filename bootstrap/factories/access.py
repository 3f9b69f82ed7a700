"""Factory of the authenticator that `AUTH` names, and what is open without one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.auth.either import KeyOrTokenAuthenticator
from adapters.auth.gateway import GatewayAuthenticator
from adapters.auth.headers import HeaderAuthenticator
from adapters.auth.keys import KeyAuthenticator
from adapters.auth.loopback import is_loopback
from bootstrap.choices import Authentication
from bootstrap.settings import Settings
from ports.api_keys_port import ApiKeysPort
from ports.authenticator_port import AuthenticatorPort

if TYPE_CHECKING:
    from adapters.auth.tokens import TokenAuthenticator


def authenticator_for(
    settings: Settings, keys: Callable[[], ApiKeysPort], tokens: Callable[[], AuthenticatorPort]
) -> AuthenticatorPort:
    """Build the authenticator.

    `keys` opens the store of API keys, and `tokens` builds the authenticator of tokens, where needed.

    Raises:
        ConfigurationError: `AUTH=token` lacks a setting or its extra.
    """
    match settings.auth:
        case Authentication.OPEN:
            return HeaderAuthenticator(settings.identity_defaults)
        case Authentication.GATEWAY:
            return GatewayAuthenticator(settings.trusted_proxies)
        case Authentication.KEY:
            return KeyAuthenticator(keys())
        case Authentication.TOKEN:
            return tokens()
        case Authentication.TOKEN_OR_KEY:
            return KeyOrTokenAuthenticator(KeyAuthenticator(keys()), tokens())


def tokens_for(settings: Settings) -> "TokenAuthenticator":
    """Build the authenticator of tokens, and begin to fetch the keys of their issuer.

    Raises:
        ConfigurationError: a setting or the extra is missing.
    """
    from bootstrap.factories.tokens import token_authenticator  # noqa: PLC0415 - an extra, and slow to import

    authenticator = token_authenticator(settings)
    authenticator.start()
    return authenticator


def is_open_to_others(settings: Settings, host: str) -> bool:
    """Return true where callers on other machines are believed without proof."""
    return settings.auth is Authentication.OPEN and not is_loopback(host)
