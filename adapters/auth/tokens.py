"""Callers with a token of an OpenID Connect issuer (`AUTH=token`)."""

from typing import NamedTuple

import jwt

from adapters.auth.bearer import AUTHORIZATION_HEADER, bearer_of
from adapters.auth.claims import ClaimNames, Claims, scopes_of, tenant_of, user_of
from adapters.auth.jwks import Issuer, Keys
from adapters.auth.key_cache import KeyCache
from domain.model.access import Caller, Credentials, proven_identity
from domain.model.errors import UnauthenticatedError
from ports.authenticator_port import AuthenticatorPort

MAX_TOKEN_CHARACTERS = 16 * 1024
"""Length beyond which nothing of a token is read; tokens with hundreds of groups have less."""
LEEWAY_SECONDS = 60
"""Difference of the clocks of issuer and service that is overlooked."""

_TYPES = frozenset({"jwt", "at+jwt"})
"""Values of the header `typ`, where it is there; tokens for other purposes name theirs (RFC 8725, 3.11)."""
_FAULTS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidIssuerError: "The token is of another issuer.",
    jwt.InvalidAudienceError: "The token is for another audience.",
    jwt.InvalidKeyError: "The token is signed with a key that is too short.",
}


class TokenRules(NamedTuple):
    """Tokens that are accepted, and the claims that are read."""

    issuer: Issuer
    audience: str
    claims: ClaimNames = ClaimNames()


class TokenAuthenticator(AuthenticatorPort):
    """Verifies each token with the keys of its issuer, which alone say who the caller is.

    A verification takes a fifth of a millisecond, so it is done where it is asked for: to hand it to a thread
    costs as much.
    """

    def __init__(self, rules: TokenRules, keys: KeyCache) -> None:
        self._rules = rules
        self._keys = keys

    def start(self) -> None:
        """Begin to fetch the keys, so that the log tells of an outage before the first request."""
        self._keys.refresh()

    @property
    def keys_age_seconds(self) -> float | None:
        """Age of the issuer's keys; None where there are none."""
        return self._keys.age_seconds

    async def identify(self, credentials: Credentials, /) -> Caller:
        """Verify the token, then read its claims."""
        claims = await self._claims(_token_of(credentials))
        names = self._rules.claims
        identity = proven_identity(
            credentials, tenant_id=tenant_of(claims, names.tenant), user_id=user_of(claims, names.user)
        )
        return Caller(identity, scopes_of(claims, names.scope))

    async def _claims(self, token: str) -> Claims:
        key_name = self._key_name(token)
        keys = await self._keys.current()
        claims = self._verified(token, key_name, keys)
        if claims is None and (newer := await self._keys.newer(keys)) is not None:
            claims = self._verified(token, key_name, newer)
        if claims is None:
            raise UnauthenticatedError("The token is not signed with a key of the issuer.")
        return claims

    def _key_name(self, token: str) -> tuple[str, str]:
        """Read id and algorithm of the key from the token's header, the only claims that are read unverified.

        Keys in the header, or addresses of keys, are never used.
        """
        try:
            header = jwt.get_unverified_header(f"{token.partition('.')[0]}..")
        except jwt.PyJWTError:
            raise _malformed() from None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._rules.issuer.algorithms:
            raise UnauthenticatedError("The token is signed with an algorithm that is not accepted.")
        if not isinstance(key_id, str):
            raise UnauthenticatedError("The token's header names no key (kid).")
        if str(header.get("typ", "jwt")).lower().removeprefix("application/") not in _TYPES:
            raise UnauthenticatedError("The token is of a type that serves other purposes (typ).")
        return key_id, algorithm

    def _verified(self, token: str, key_name: tuple[str, str], keys: Keys) -> Claims | None:
        """Return the claims; None where the keys do not verify the signature.

        Raises:
            UnauthenticatedError: the signature is valid, and the token is not.
        """
        key = keys.get(key_name)
        if key is None:
            return None
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[key_name[1]],
                audience=self._rules.audience,
                issuer=self._rules.issuer.name,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except jwt.InvalidSignatureError:
            return None
        except jwt.MissingRequiredClaimError as error:
            raise UnauthenticatedError(f"The token lacks the claim {error.claim}.") from None
        except jwt.PyJWTError as error:
            raise _fault(error) from None


def _token_of(credentials: Credentials) -> str:
    token = bearer_of(credentials)
    if token is None:
        raise UnauthenticatedError(
            f"Send a token: `{AUTHORIZATION_HEADER}: Bearer …`.", has_credentials=False
        )
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise UnauthenticatedError(f"The token has more than {MAX_TOKEN_CHARACTERS} characters.")
    if not token.isascii():
        raise _malformed()
    return token


def _fault(error: jwt.PyJWTError) -> UnauthenticatedError:
    return UnauthenticatedError(_FAULTS[type(error)]) if type(error) in _FAULTS else _malformed()


def _malformed() -> UnauthenticatedError:
    return UnauthenticatedError("The token is malformed.")
