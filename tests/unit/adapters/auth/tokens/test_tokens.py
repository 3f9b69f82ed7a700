import logging
import time
from typing import Any
from uuid import UUID

import pytest

from adapters.auth.claims import ClaimNames
from adapters.auth.tokens import MAX_TOKEN_CHARACTERS, TokenAuthenticator
from domain.model.access import Credentials, Scope
from domain.model.errors import AccessDeniedError, UnauthenticatedError, UnknownTenantError
from tests.contracts.authenticator_port import AuthenticatorPortContract, Proof, credentials
from tests.support.auth.issuer import TENANT, IssuerServer, SigningKey
from tests.unit.adapters.auth.tokens.conftest import Build, bearer

HOUR = 3600


class TestTokenAuthenticator(AuthenticatorPortContract):
    @pytest.fixture
    def proof(self, tokens: TokenAuthenticator, issuer: IssuerServer, ec: SigningKey) -> Proof:
        tokens_of = {
            "unknown": issuer.token(ec._replace(key_id="of-another-issuer")),
            "expired": issuer.token(exp=int(time.time()) - HOUR),
        }
        return Proof(
            tokens,
            lambda headers: credentials({"Authorization": f"Bearer {issuer.token()}", **headers}),
            refused={fault: {"Authorization": f"Bearer {token}"} for fault, token in tokens_of.items()},
        )


async def refusal_of(tokens: TokenAuthenticator, token: str) -> str:
    with pytest.raises(UnauthenticatedError) as refusal:
        await tokens.identify(bearer(token))
    assert refusal.value.has_credentials
    return str(refusal.value)


@pytest.mark.parametrize("number", [0, 1])
async def test_each_key_of_the_issuer_verifies_with_its_algorithm(
    tokens: TokenAuthenticator, issuer: IssuerServer, number: int
) -> None:
    caller = await tokens.identify(bearer(issuer.token(issuer.keys[number])))

    assert caller.identity.tenant_id == UUID(TENANT)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"aud": "another-client"}, "The token is for another audience."),
        ({"aud": ["account", "another-client"]}, "The token is for another audience."),
        ({"aud": None}, "The token lacks the claim aud."),
        ({"aud": []}, "The token lacks the claim aud."),
        ({"exp": None}, "The token lacks the claim exp."),
        ({"iss": None}, "The token lacks the claim iss."),
        ({"sub": None}, "The token lacks the claim sub."),
        ({"exp": 1_000_000}, "The token has expired."),
        ({"exp": "soon"}, "The token is malformed."),
        ({"exp": float("inf")}, "The token is malformed."),
        ({"nbf": 4_000_000_000}, "The token is not valid yet."),
        ({"iat": 4_000_000_000}, "The token is not valid yet."),
        ({"iss": "https://login.example.com"}, "The token is of another issuer."),
        ({"sub": 7}, "The token is malformed."),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_claim_that_does_not_fit_is_401(
    tokens: TokenAuthenticator, issuer: IssuerServer, changes: dict[str, Any], message: str
) -> None:
    assert await refusal_of(tokens, issuer.token(**changes)) == message


async def test_an_issuer_with_another_slash_at_its_end_is_another(
    tokens: TokenAuthenticator, issuer: IssuerServer
) -> None:
    assert await refusal_of(tokens, issuer.token(iss=f"{issuer.url}/")) == "The token is of another issuer."


async def test_one_audience_of_several_is_enough(tokens: TokenAuthenticator, issuer: IssuerServer) -> None:
    await tokens.identify(bearer(issuer.token(aud=["account", "batch-transcription"])))


async def test_clocks_may_differ_by_a_minute(tokens: TokenAuthenticator, issuer: IssuerServer) -> None:
    now = int(time.time())

    await tokens.identify(bearer(issuer.token(nbf=now + 50, iat=now + 50)))  # and time passes meanwhile
    assert "expired" in await refusal_of(tokens, issuer.token(exp=now - 61))


@pytest.mark.parametrize("tenant", [None, "", "acme", 7, [TENANT], "d9b2d63d-a233-1123-847a-7090b2a8e3c7"])
async def test_a_tenant_claim_that_is_no_uuid_v4_is_403(
    tokens: TokenAuthenticator, issuer: IssuerServer, tenant: object
) -> None:
    with pytest.raises(UnknownTenantError, match="claim tenant_id must name the tenant"):
        await tokens.identify(bearer(issuer.token(tenant_id=tenant)))


@pytest.mark.parametrize("user", ["", "  ", "a\x07b", "a\u202eb", "a" * 257, " alice"])
async def test_a_user_claim_that_is_long_or_unprintable_is_403(
    tokens: TokenAuthenticator, issuer: IssuerServer, user: str
) -> None:
    with pytest.raises(AccessDeniedError, match="claim sub must name the user"):
        await tokens.identify(bearer(issuer.token(sub=user)))


async def test_claims_may_have_other_names(build: Build, issuer: IssuerServer) -> None:
    names = ClaimNames("https://example.com/tenant", "email", "permissions")
    claims: dict[str, Any] = {"https://example.com/tenant": TENANT, "email": "Zoë@example.com"}
    token = issuer.token(**claims, tenant_id=None, permissions=["operate"])

    caller = await build(names=names).identify(bearer(token))

    assert (caller.identity.tenant_id, caller.identity.user_id) == (UUID(TENANT), "Zoë@example.com")
    assert caller.scopes == {Scope.OPERATE}


async def test_a_user_claim_that_is_missing_is_403(build: Build, issuer: IssuerServer) -> None:
    with pytest.raises(AccessDeniedError, match="claim email"):
        await build(names=ClaimNames(user="email")).identify(bearer(issuer.token()))


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "write read operate"}, ["write", "read", "operate"]),
        ({"scope": "batch:write openid batch/read"}, ["write", "read"]),
        ({"scope": ["batch:operate"]}, ["operate"]),
        ({"scope": "users:write read:all Write batch:write:all batch::read write,read"}, []),
        ({"scope": ""}, []),
        ({"scope": {"write": True}}, []),
        ({"scope": [7, None, ["write"]]}, []),
        ({"scope": None}, []),
        ({"scope": None, "scp": ["read"]}, ["read"]),
        ({"scope": None, "scp": "read write"}, ["read", "write"]),
        ({"scope": "read", "scp": ["operate"]}, ["read"]),
    ],
    ids=str,
)
async def test_scopes_are_those_of_this_service(
    tokens: TokenAuthenticator, issuer: IssuerServer, claims: dict[str, Any], scopes: list[str]
) -> None:
    caller = await tokens.identify(bearer(issuer.token(**claims)))

    assert caller.scopes == set(scopes)


async def test_another_scheme_counts_as_no_credentials(tokens: TokenAuthenticator) -> None:
    with pytest.raises(UnauthenticatedError) as refusal:
        await tokens.identify(Credentials({"authorization": ["Basic YTpi"]}))

    assert not refusal.value.has_credentials


async def test_an_oversized_token_is_refused_before_it_is_read(
    tokens: TokenAuthenticator, issuer: IssuerServer
) -> None:
    token = issuer.token(groups="x" * MAX_TOKEN_CHARACTERS)

    assert "more than 16384 characters" in await refusal_of(tokens, token)
    assert issuer.requests == []


async def test_a_token_stands_in_no_log_line(
    tokens: TokenAuthenticator, issuer: IssuerServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = issuer.token(aud="another")

    message = await refusal_of(tokens, token)

    shown = message + "".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert not any(part in shown for part in token.split("."))
