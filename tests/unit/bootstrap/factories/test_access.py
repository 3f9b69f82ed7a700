"""The authenticator that `AUTH` names, and what is open without one."""

from typing import NoReturn

import pytest

from adapters.auth.gateway import GatewayAuthenticator
from adapters.auth.headers import HeaderAuthenticator
from adapters.auth.keys import KeyAuthenticator
from adapters.auth.loopback import is_loopback
from adapters.in_memory import InMemoryApiKeys
from bootstrap.factories.access import authenticator_for, is_open_to_others
from bootstrap.settings import Settings
from ports.authenticator_port import AuthenticatorPort

GATEWAY = {"AUTH": "gateway", "TRUSTED_PROXIES": "10.1.0.0/24"}


def not_needed() -> NoReturn:
    raise AssertionError("no store of keys, and no issuer, is asked")


@pytest.mark.parametrize(
    ("environ", "kind"), [({}, HeaderAuthenticator), (GATEWAY, GatewayAuthenticator)], ids=["open", "gateway"]
)
def test_without_keys_no_database_is_opened(environ: dict[str, str], kind: type[AuthenticatorPort]) -> None:
    assert isinstance(authenticator_for(Settings.from_env(environ), not_needed, not_needed), kind)


def test_keys_are_looked_up_in_their_store() -> None:
    authenticator = authenticator_for(Settings.from_env({"AUTH": "key"}), InMemoryApiKeys, not_needed)

    assert isinstance(authenticator, KeyAuthenticator)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_reached_from_this_machine_alone(host: str) -> None:
    assert is_loopback(host)
    assert not is_open_to_others(Settings.from_env({}), host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.0.9", "speech.internal", "127.0.0.1.example"])  # noqa: S104 - not listened on
def test_any_other_address_is_open_unless_callers_are_authenticated(host: str) -> None:
    assert is_open_to_others(Settings.from_env({}), host)
    assert not is_open_to_others(Settings.from_env({"AUTH": "key"}), host)
    assert not is_open_to_others(Settings.from_env(GATEWAY), host)
