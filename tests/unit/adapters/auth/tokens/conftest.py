from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.auth.claims import ClaimNames
from adapters.auth.jwks import Issuer, fetch_keys
from adapters.auth.key_cache import KeyCache
from adapters.auth.tokens import TokenAuthenticator, TokenRules
from domain.model.access import Credentials
from tests.support.auth.issuer import AUDIENCE, IssuerServer, SigningKey, ec_key, issuer_server, rsa_key
from tests.support.doubles.queue import Clock

PATIENCE_SECONDS = 240.0
"""Longest wait for the issuer of a test, which answers in milliseconds on a machine with time."""

Build = Callable[..., TokenAuthenticator]


def bearer(token: str, **headers: str) -> Credentials:
    """Credentials with a token; `x_tenant_id` is the header X-Tenant-ID."""
    others = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return Credentials({"authorization": [f"Bearer {token}"], **others}, "192.0.2.1")


@pytest.fixture(scope="session")
def rsa() -> SigningKey:
    return rsa_key()


@pytest.fixture(scope="session")
def ec() -> SigningKey:
    return ec_key()


@pytest.fixture
def issuer(rsa: SigningKey, ec: SigningKey) -> Iterator[IssuerServer]:
    with issuer_server(rsa, ec) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def build(issuer: IssuerServer, clock: Clock) -> Build:
    """Build an authenticator for tokens of the issuer."""

    def build(
        *,
        algorithms: tuple[str, ...] = ("RS256", "ES256"),
        names: ClaimNames = ClaimNames(),  # noqa: B008 - immutable
        fetch_seconds: float = PATIENCE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        **changes: Any,
    ) -> TokenAuthenticator:
        described = Issuer(issuer.url, algorithms)._replace(**changes)
        keys = KeyCache(
            lambda: fetch_keys(described, fetch_seconds), clock=clock, patience_seconds=patience_seconds
        )
        return TokenAuthenticator(TokenRules(described, AUDIENCE, names), keys)

    return build


@pytest.fixture
def tokens(build: Build) -> TokenAuthenticator:
    return build()
