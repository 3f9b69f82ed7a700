"""Contract of every authenticator: the sentences of `AuthenticatorPort`'s docstring.

An adapter binds the contract by subclassing it and providing the fixture `proof`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from domain.model.access import Credentials
from domain.model.errors import (
    AccessDeniedError,
    InvalidIdentityError,
    TranscriptionServiceError,
    UnauthenticatedError,
)
from domain.model.identity import ACCOUNT_HEADER, TENANT_HEADER, USER_HEADER
from ports.authenticator_port import AuthenticatorPort

TENANT = UUID("3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11")
USER = "alice"


def credentials(headers: Mapping[str, str | Sequence[str]], peer: str | None = "203.0.113.7") -> Credentials:
    """Build credentials as the server does: names in small letters, all values."""
    given = {
        name.lower(): [value] if isinstance(value, str) else list(value) for name, value in headers.items()
    }
    return Credentials(given, peer)


@dataclass(frozen=True)
class Proof:
    """Authenticator, and valid credentials of `TENANT` and `USER`.

    Attributes:
        valid: builds them, with further headers, which replace those of the same name.
        headers_are_proof: whether the identity headers themselves are the credentials.
        without: what is raised without credentials; None where they are not needed.
        refused: headers with credentials that prove no caller, by what is wrong with them.
    """

    port: AuthenticatorPort
    valid: Callable[[Mapping[str, str | Sequence[str]]], Credentials]
    headers_are_proof: bool = False
    without: type[TranscriptionServiceError] | None = UnauthenticatedError
    refused: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class AuthenticatorPortContract:
    """Suite for the adapters of `AuthenticatorPort`."""

    async def test_credentials_prove_tenant_user_and_scopes(self, proof: Proof) -> None:
        caller = await proof.port.identify(proof.valid({}))

        assert (caller.identity.tenant_id, caller.identity.user_id) == (TENANT, USER)
        assert caller.identity.account_id is None
        assert caller.identity.warnings == ()
        assert caller.scopes

    async def test_the_caller_names_its_account(self, proof: Proof) -> None:
        caller = await proof.port.identify(proof.valid({ACCOUNT_HEADER: " acme "}))

        assert caller.identity.account_id == "acme"

    @pytest.mark.parametrize("tenant", [str(TENANT), str(TENANT).upper(), f" {TENANT} "])
    async def test_headers_may_repeat_the_credentials(self, proof: Proof, tenant: str) -> None:
        caller = await proof.port.identify(proof.valid({TENANT_HEADER: tenant, USER_HEADER: USER}))

        assert (caller.identity.tenant_id, caller.identity.user_id) == (TENANT, USER)

    @pytest.mark.parametrize(
        "headers",
        [
            {TENANT_HEADER: "8c2dd2ab-1d7a-4b3c-8f1e-2f6f4e0b9c22"},
            {TENANT_HEADER: "acme"},
            {TENANT_HEADER: "8f0e9a4c-e7d3-11f0-8054-02fc00000001"},
            {USER_HEADER: "mallory"},
            {USER_HEADER: "Alice"},
            {TENANT_HEADER: str(TENANT), USER_HEADER: "mallory"},
        ],
        ids=str,
    )
    async def test_headers_that_contradict_the_credentials_are_refused(
        self, proof: Proof, headers: dict[str, str]
    ) -> None:
        if proof.headers_are_proof:
            pytest.skip("the headers are the credentials")

        with pytest.raises(AccessDeniedError) as refused:
            await proof.port.identify(proof.valid(headers))

        assert str(TENANT) not in str(refused.value)
        assert USER not in str(refused.value)

    @pytest.mark.parametrize("name", [TENANT_HEADER, USER_HEADER, ACCOUNT_HEADER])
    async def test_an_identity_header_that_is_given_twice_is_refused(self, proof: Proof, name: str) -> None:
        value = str(TENANT) if name == TENANT_HEADER else USER
        for values in ([value, value], [value, "another"], [str(uuid4()), value]):
            with pytest.raises(InvalidIdentityError):
                await proof.port.identify(proof.valid({name: values}))

    @pytest.mark.parametrize("value", ["x" * 257, "a\x00b", "a\u202eb"], ids=["long", "zero", "bidi"])
    async def test_an_account_that_cannot_be_stored_is_refused(self, proof: Proof, value: str) -> None:
        with pytest.raises(InvalidIdentityError):
            await proof.port.identify(proof.valid({ACCOUNT_HEADER: value}))

    async def test_headers_with_underscores_name_no_caller(self, proof: Proof) -> None:
        twins = {"X_Tenant_ID": str(uuid4()), "X_User_ID": "mallory", "X_Account_ID": "theirs"}

        caller = await proof.port.identify(proof.valid(twins))

        assert (caller.identity.tenant_id, caller.identity.user_id) == (TENANT, USER)
        assert caller.identity.account_id is None

    async def test_without_credentials_there_is_no_caller(self, proof: Proof) -> None:
        if proof.without is None:
            pytest.skip("no credentials are needed")

        with pytest.raises(proof.without) as refused:
            await proof.port.identify(credentials({}))

        assert not getattr(refused.value, "has_credentials", False)

    async def test_identity_headers_alone_prove_nothing(self, proof: Proof) -> None:
        if proof.headers_are_proof:
            pytest.skip("the headers are the credentials")

        with pytest.raises(UnauthenticatedError) as refused:
            await proof.port.identify(credentials({TENANT_HEADER: str(TENANT), USER_HEADER: USER}))

        assert not refused.value.has_credentials

    @pytest.mark.parametrize("fault", ["unknown", "expired"])
    async def test_credentials_that_prove_no_caller_are_refused(self, proof: Proof, fault: str) -> None:
        if proof.headers_are_proof:
            pytest.skip("the headers are the credentials")

        with pytest.raises(UnauthenticatedError) as refused:
            await proof.port.identify(credentials(proof.refused[fault]))

        assert refused.value.has_credentials
        assert not any(value in str(refused.value) for value in proof.refused[fault].values())

    async def test_callers_are_identified_at_the_same_time(self, proof: Proof) -> None:
        accounts = [f"account-{number}" for number in range(20)]

        found = await asyncio.gather(
            *(proof.port.identify(proof.valid({ACCOUNT_HEADER: each})) for each in accounts)
        )

        assert [caller.identity.account_id for caller in found] == accounts
