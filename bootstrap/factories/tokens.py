"""Factory of the authenticator of tokens; PyJWT is imported when it is needed, since it is an extra."""

from typing import TYPE_CHECKING

from bootstrap.extras import require
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError

if TYPE_CHECKING:
    from adapters.auth.jwks import Issuer
    from adapters.auth.tokens import TokenAuthenticator


def token_authenticator(settings: Settings) -> "TokenAuthenticator":
    """Build the authenticator, without fetching the keys of the issuer.

    Raises:
        ConfigurationError: the extra is not installed, or issuer or audience are missing, or keys would be
            fetched from an address that is not safe.
    """
    issuer = token_issuer(settings)
    if settings.auth_audience is None:
        raise ConfigurationError(
            "AUTH=token needs AUTH_AUDIENCE: the claim `aud` of the tokens that are for this service. "
            "Without it, tokens for all other services of the issuer would be accepted here."
        )
    from adapters.auth.claims import ClaimNames  # noqa: PLC0415 - with an extra
    from adapters.auth.jwks import fetch_keys  # noqa: PLC0415 - with an extra
    from adapters.auth.key_cache import KeyCache  # noqa: PLC0415 - with an extra
    from adapters.auth.tokens import TokenAuthenticator, TokenRules  # noqa: PLC0415 - with an extra

    names = ClaimNames(settings.auth_tenant_claim, settings.auth_user_claim, settings.auth_scope_claim)
    return TokenAuthenticator(
        TokenRules(issuer, settings.auth_audience, names), KeyCache(lambda: fetch_keys(issuer))
    )


def token_issuer(settings: Settings) -> "Issuer":
    """Describe the issuer of tokens.

    Raises:
        ConfigurationError: the extra is not installed, or there is no issuer, or its keys would be fetched
            from an address that is not safe.
    """
    require("auth", "AUTH=token")
    if settings.auth_issuer is None:
        raise ConfigurationError(
            "AUTH=token needs AUTH_ISSUER: the claim `iss` of the tokens, to the last slash, such as "
            "https://login.example.com/realms/main"
        )
    from adapters.auth.documents import is_safe  # noqa: PLC0415 - with an extra
    from adapters.auth.jwks import Issuer  # noqa: PLC0415 - with an extra

    variable = "AUTH_JWKS_URL" if settings.auth_jwks_url else "AUTH_ISSUER"
    url = settings.auth_jwks_url or settings.auth_issuer
    if not is_safe(url):
        raise ConfigurationError(
            f"{variable}={url!r}: keys are fetched from https:// alone, or from http:// on this machine"
        )
    return Issuer(settings.auth_issuer, settings.auth_algorithms, settings.auth_jwks_url)
