"""Tokens that an attacker makes: none is accepted, and none raises anything but a 401."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from random import Random

import jwt
import pytest

from adapters.auth.tokens import TokenAuthenticator
from domain.model.errors import AccessDeniedError, UnauthenticatedError
from tests.support.auth.issuer import IssuerServer, SigningKey, issuer_server, rsa_key
from tests.unit.adapters.auth.tokens.conftest import Build, bearer

HEADER: dict[str, object] = {"alg": "RS256", "kid": "rsa-1", "typ": "JWT"}
LONG_NUMBER = b'{"alg": "RS256", "kid": "rsa-1", "n": ' + b"9" * 5000 + b"}"
ODD_VALUES: list[object] = [None, True, [], {}, "", "9" * 5000, 10**40, -1, 1e308, [[]], ["a", 7], {"a": []}]
ACCEPTED: dict[str, list[object]] = {
    "exp": [10**40, 1e308],
    "nbf": [True, -1],
    "iat": [True, -1],
    "jti": ["", "9" * 5000],
}
"""Odd claims that contradict no rule; the issuer has signed them."""
NO_UTF_8 = b'{"alg": "RS256", "kid": "\xff"}'


def encoded(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed_with_secret(issuer: IssuerServer, secret: bytes, header: dict[str, object]) -> str:
    signed = f"{encoded(header)}.{encoded(issuer.claims())}"
    return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


async def assert_refused(tokens: TokenAuthenticator, token: str, message: str = "The token") -> None:
    with pytest.raises(UnauthenticatedError, match=message):
        await tokens.identify(bearer(token))


@pytest.mark.parametrize("secret", [SigningKey.pem, lambda key: json.dumps(key.jwk()).encode()])
async def test_a_public_key_is_no_shared_secret(
    tokens: TokenAuthenticator, issuer: IssuerServer, secret: Callable[[SigningKey], bytes]
) -> None:
    await tokens.identify(bearer(issuer.token()))

    for header in ({**HEADER, "alg": "HS256"}, HEADER, {**HEADER, "alg": ["HS256", "RS256"]}):
        await assert_refused(tokens, signed_with_secret(issuer, secret(issuer.keys[0]), header))


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "", None, "HS256", "RS384", "ES512", 7]
)
async def test_an_algorithm_that_is_not_configured_is_refused(
    tokens: TokenAuthenticator, issuer: IssuerServer, algorithm: object
) -> None:
    token = f"{encoded({**HEADER, 'alg': algorithm})}.{encoded(issuer.claims())}."

    await assert_refused(tokens, token, "algorithm")
    assert issuer.requests == [], "it is refused by its header, without a key"


async def test_a_header_without_algorithm_or_key_is_refused(
    tokens: TokenAuthenticator, issuer: IssuerServer
) -> None:
    claims = encoded(issuer.claims())

    await assert_refused(tokens, f"{encoded({'kid': 'rsa-1'})}.{claims}.AAAA", "algorithm")
    await assert_refused(tokens, f"{encoded({'alg': 'RS256'})}.{claims}.AAAA", "names no key")
    await assert_refused(tokens, f"{encoded({'alg': 'RS256', 'kid': 7})}.{claims}.AAAA", "malformed")


async def test_keys_that_a_token_brings_along_are_not_used(
    tokens: TokenAuthenticator, issuer: IssuerServer
) -> None:
    with issuer_server(rsa_key("rsa-1")) as attacker:
        mine = attacker.keys[0]
        for headers in (
            {"jwk": mine.jwk()},
            {"jku": attacker.jwks_url},
            {"x5u": attacker.jwks_url},
            {"x5c": [base64.b64encode(mine.pem()).decode()]},
        ):
            await assert_refused(tokens, issuer.token(mine, headers), "not signed with a key of the issuer")

        assert attacker.requests == []


async def test_a_key_does_not_verify_with_the_algorithm_of_another(
    tokens: TokenAuthenticator, issuer: IssuerServer, rsa: SigningKey, ec: SigningKey
) -> None:
    for key, other in ((rsa, ec), (ec, rsa)):
        await assert_refused(tokens, issuer.token(key._replace(key_id=other.key_id)), "not signed with a key")


async def test_an_algorithm_that_is_not_the_keys_own_is_refused(
    build: Build, issuer: IssuerServer, rsa: SigningKey
) -> None:
    tokens = build(algorithms=("RS256", "PS256"))

    await tokens.identify(bearer(issuer.token()))
    await assert_refused(tokens, issuer.token(rsa._replace(algorithm="PS256")), "not signed with a key")


async def test_a_short_key_is_refused(build: Build, issuer: IssuerServer) -> None:
    issuer.keys = [rsa_key("weak", bits=1024)]
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = issuer.token()

    await assert_refused(build(), token, "too short")


@pytest.mark.parametrize("kind", ["logout+jwt", "dpop+jwt", "secevent+jwt", "JWE", 7, None])
async def test_a_token_for_another_purpose_is_refused(
    tokens: TokenAuthenticator, issuer: IssuerServer, kind: object
) -> None:
    signed = f"{encoded({**HEADER, 'typ': kind})}.{encoded(issuer.claims())}"

    await assert_refused(tokens, f"{signed}.AAAA", r"other purposes \(typ\)")


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT", ""])
async def test_access_tokens_have_one_of_two_types_or_none(
    tokens: TokenAuthenticator, issuer: IssuerServer, kind: str
) -> None:
    await tokens.identify(bearer(issuer.token(headers={"typ": kind})))


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "b64": False, "crit": ["b64"]},
        {**HEADER, "crit": []},
    ],
    ids=str,
)
async def test_an_extension_that_is_not_understood_is_refused(
    tokens: TokenAuthenticator, issuer: IssuerServer, header: dict[str, object]
) -> None:
    await assert_refused(tokens, f"{encoded(header)}.{encoded(issuer.claims())}.AAAA")


@pytest.mark.parametrize(
    "token",
    [
        "x", ".", "..", "...", "a.b.c", "a.b.c.d.e", "=.=.=", "é.b.c", "\ud800.b.c", "\0", "null", "{}",
        f"{encoded(b'[]')}.e30.AAAA",
        f"{encoded(b'[' * 5000)}.e30.AAAA",
        f"{encoded(b'{' + b' ' * 4000)}.e30.AAAA",
        f"{encoded(HEADER)}.{encoded(b'[' * 5000)}.AAAA",
        f"{encoded(HEADER)}.e30",
        f"{encoded(HEADER)}.e30.",
        f"{encoded(HEADER)}..",
        f"{encoded(LONG_NUMBER)}.e30.AAAA",
        f"{encoded(NO_UTF_8)}.e30.AAAA",
    ],
    ids=lambda token: ascii(token[:20]),
)  # fmt: skip
async def test_garbage_is_refused(tokens: TokenAuthenticator, token: str) -> None:
    await assert_refused(tokens, token)


async def test_a_token_with_any_byte_changed_is_refused(
    tokens: TokenAuthenticator, issuer: IssuerServer
) -> None:
    token, random = issuer.token(), Random(15)  # noqa: S311 - places of a test

    for _ in range(300):
        place = random.randrange(len(token))
        letter = random.choice([each for each in "AbZ0-_.=~\x7f" if each != token[place]])
        await assert_refused(tokens, token[:place] + letter + token[place + 1 :])
    await tokens.identify(bearer(token))


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "iss", "aud", "sub", "jti"])
async def test_a_signed_claim_of_any_kind_raises_nothing_unexpected(
    tokens: TokenAuthenticator, issuer: IssuerServer, rsa: SigningKey, name: str
) -> None:
    accepted = []

    for value in ODD_VALUES:
        claims = json.dumps({**issuer.claims(), name: value}).encode()
        try:
            await tokens.identify(bearer(jwt.PyJWS().encode(claims, rsa.private, "RS256", HEADER)))
        except (UnauthenticatedError, AccessDeniedError):
            continue
        accepted.append(value)

    assert accepted == ACCEPTED.get(name, [])
