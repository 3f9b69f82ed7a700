"""The contract of authenticators: open, behind a gateway, with keys, and with either of two."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import NamedTuple

import pytest

from adapters.auth.either import KeyOrTokenAuthenticator
from adapters.auth.gateway import GatewayAuthenticator
from adapters.auth.headers import HeaderAuthenticator
from adapters.auth.keys import KeyAuthenticator
from adapters.in_memory import InMemoryApiKeys
from domain.model.access import Credentials, Scope
from domain.model.api_keys import KeyGrant, new_key
from domain.model.errors import UntrustedPeerError
from domain.model.identity import TENANT_HEADER, USER_HEADER, IdentityDefaults
from domain.services.api_keys import ApiKeyService
from ports.authenticator_port import AuthenticatorPort
from tests.contracts.authenticator_port import TENANT, USER, AuthenticatorPortContract, Proof, credentials
from tests.support.databases.databases import Clock
from tests.support.doubles.access import UnknowingAuthenticator

Headers = Mapping[str, str | Sequence[str]]
NAMED: Headers = {TENANT_HEADER: str(TENANT), USER_HEADER: USER}


def named(headers: Headers) -> Credentials:
    return credentials({**NAMED, **headers}, "10.1.0.9")


class TestHeaderAuthenticator(AuthenticatorPortContract):
    @pytest.fixture
    def proof(self) -> Proof:
        return Proof(HeaderAuthenticator(IdentityDefaults()), named, headers_are_proof=True, without=None)


class TestGatewayAuthenticator(AuthenticatorPortContract):
    @pytest.fixture
    def proof(self) -> Proof:
        port = GatewayAuthenticator([ip_network("10.1.0.0/24")])
        return Proof(port, named, headers_are_proof=True, without=UntrustedPeerError)


class Keys(NamedTuple):
    """Authenticator with a key that it accepts, and with keys that it refuses."""

    port: KeyAuthenticator
    valid: str
    refused: Mapping[str, str]

    def proof(self, port: AuthenticatorPort, header: str, prefix: str = "") -> Proof:
        """Send the keys in a header, behind a prefix."""
        return Proof(
            port,
            lambda headers: credentials({header: f"{prefix}{self.valid}", **headers}),
            refused={fault: {header: f"{prefix}{key}"} for fault, key in self.refused.items()},
        )


@pytest.fixture
def keys() -> Keys:
    clock = Clock()
    stored = InMemoryApiKeys(clock)
    service, grant = ApiKeyService(stored), KeyGrant(TENANT, USER, frozenset({Scope.READ}))
    expired = service.create(grant, lifetime_seconds=60)
    clock.advance(60)
    valid = service.create(grant, lifetime_seconds=3600)
    refused = {"expired": expired.plain.text, "unknown": new_key().text}
    return Keys(KeyAuthenticator(stored), valid.plain.text, refused)


class TestKeyAuthenticator(AuthenticatorPortContract):
    @pytest.fixture
    def proof(self, keys: Keys) -> Proof:
        return keys.proof(keys.port, "Authorization", "Bearer ")


class TestKeyInItsOwnHeader(AuthenticatorPortContract):
    @pytest.fixture
    def proof(self, keys: Keys) -> Proof:
        return keys.proof(keys.port, "X-API-Key")


class TestKeyOrTokenAuthenticator(AuthenticatorPortContract):
    @pytest.fixture
    def proof(self, keys: Keys) -> Proof:
        either = KeyOrTokenAuthenticator(keys.port, UnknowingAuthenticator())
        return keys.proof(either, "Authorization", "bearer ")


@pytest.mark.parametrize(
    ("peer", "headers", "may_operate"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {"Host": "[::1]:8000"}, True),
        (None, {"Host": "localhost"}, True),
        ("127.0.0.1", {"Host": "localhost:8000"}, True),
        ("127.0.0.1", {"Host": "evil.example:8000"}, False),
        ("127.0.0.1", {"Host": ["localhost", "evil.example"]}, False),
        ("10.1.0.9", {"Host": "localhost"}, False),
        ("127.0.0.1", {"X-Forwarded-For": "10.1.0.9"}, False),
        ("127.0.0.1", {"Forwarded": "for=10.1.0.9"}, False),
        ("127.0.0.1", {"X-Real-IP": ""}, False),
        ("127.0.0.1", {"Via": "1.1 proxy"}, False),
    ],
    ids=str,
)
async def test_without_proof_only_a_caller_on_this_machine_may_operate(
    peer: str | None, headers: dict[str, str | list[str]], *, may_operate: bool
) -> None:
    caller = await HeaderAuthenticator(IdentityDefaults()).identify(credentials(headers, peer))

    assert (Scope.OPERATE in caller.scopes) is may_operate
    assert {Scope.READ, Scope.WRITE} <= caller.scopes
