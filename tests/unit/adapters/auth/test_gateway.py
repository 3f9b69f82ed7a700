"""Gateways: whose headers are believed (PLATFORM: oauth2-proxy#3506, CVE-2025-64484)."""

from ipaddress import ip_network

import pytest

from adapters.auth.gateway import GatewayAuthenticator
from domain.model.access import Scope
from domain.model.errors import UnknownTenantError, UntrustedPeerError
from domain.model.identity import TENANT_HEADER, USER_HEADER
from tests.contracts.authenticator_port import TENANT, credentials

PORT = GatewayAuthenticator([ip_network("10.1.0.0/24"), ip_network("fd12::/64"), ip_network("127.0.0.1/32")])
NAMED = {TENANT_HEADER: str(TENANT), USER_HEADER: "alice"}


@pytest.mark.parametrize("peer", ["10.1.0.1", "10.1.0.255", "fd12::7", "127.0.0.1", "::ffff:10.1.0.1"])
async def test_a_listed_peer_names_the_caller(peer: str) -> None:
    caller = await PORT.identify(credentials(NAMED, peer))

    assert (caller.identity.tenant_id, caller.identity.user_id) == (TENANT, "alice")
    assert caller.scopes == {Scope.WRITE, Scope.READ}


@pytest.mark.parametrize(
    "peer",
    [
        "10.1.1.1",
        "203.0.113.7",
        "fd13::1",
        "::1",
        "::ffff:203.0.113.7",
        "testclient",
        "",
        "10.1.0.1, 1.1.1.1",
        None,
    ],
)
async def test_any_other_peer_is_refused_with_and_without_headers(peer: str | None) -> None:
    for headers in ({}, NAMED, {**NAMED, "X-Forwarded-For": "10.1.0.1", "Forwarded": "for=10.1.0.1"}):
        with pytest.raises(UntrustedPeerError):
            await PORT.identify(credentials(headers, peer))


@pytest.mark.parametrize(
    "tenant", [None, "", "  ", "acme", "org_123", "8f0e9a4c-e7d3-11f0-8054-02fc00000001"]
)
async def test_a_tenant_that_can_own_nothing_is_refused_and_never_replaced(tenant: str | None) -> None:
    with pytest.raises(UnknownTenantError):
        await PORT.identify(credentials({} if tenant is None else {TENANT_HEADER: tenant}, "10.1.0.1"))


async def test_two_tenants_in_one_header_are_none() -> None:
    with pytest.raises(UnknownTenantError):
        await PORT.identify(credentials({TENANT_HEADER: f"{TENANT}, {TENANT}"}, "10.1.0.1"))


async def test_a_twin_with_underscores_is_no_tenant() -> None:
    with pytest.raises(UnknownTenantError):
        await PORT.identify(credentials({"X_Tenant_ID": str(TENANT)}, "10.1.0.1"))


async def test_a_caller_without_a_user_is_the_system() -> None:
    caller = await PORT.identify(credentials({TENANT_HEADER: str(TENANT)}, "10.1.0.1"))

    assert caller.identity.user_id == "system"
