"""Ways in which callers prove themselves, or fail to, and what each of them is answered."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from domain.model.access import ALL_SCOPES, Scope
from tests.support.harness.access import GATEWAY, STRANGER, USER, AccessStage, Headers, bearer

OWN, OTHER = "its own tenant's", "another tenant's"
"""Outcomes of callers who are served."""


class Sent(NamedTuple):
    """Headers of a request, and where it comes from."""

    headers: Headers
    peer: str = STRANGER


class Refusal(NamedTuple):
    """Answer to a caller who is not served; `error` is that of the challenge, None without a challenge."""

    status: int
    problem: str
    error: str | None = None


NO_KEY = Refusal(401, "unauthenticated", "")
BAD_KEY = Refusal(401, "unauthenticated", "invalid_token")
CONTRADICTED = Refusal(403, "access-denied")
NO_SCOPE = Refusal(403, "insufficient-scope", "insufficient_scope")
NO_TENANT = Refusal(403, "unknown-tenant")
NO_PROXY = Refusal(403, "untrusted-peer")
TWICE = Refusal(400, "invalid-identity")


class Way(NamedTuple):
    """How a request is sent, given the scope of its route; and how it is answered."""

    auth: str
    sent: Callable[[AccessStage, Scope], Sent]
    outcome: str | Refusal


def _key(outcome: str | Refusal, sent: Callable[[AccessStage, Scope], Headers]) -> Way:
    return Way("key", lambda stage, scope: Sent(sent(stage, scope)), outcome)


def _none(_stage: AccessStage, _scope: Scope) -> None:
    """Leave a claim out."""


def _named(stage: AccessStage) -> Headers:
    return {"X-Tenant-ID": str(stage.tenant), "X-User-ID": USER}


def _token(
    outcome: str | Refusal, headers: Headers | None = None, **changes: Callable[[AccessStage, Scope], object]
) -> Way:
    """Send a token of the stage's tenant with the scope of the route, but for the changes of its claims."""

    def sent(stage: AccessStage, scope: Scope) -> Sent:
        claims: dict[str, Any] = {"tenant_id": str(stage.tenant), "sub": USER, "scope": f"openid {scope}"}
        claims |= {name: change(stage, scope) for name, change in changes.items()}
        return Sent(bearer(stage.issuer.token(**claims)) | (headers or {}))

    return Way("token", sent, outcome)


def _gateway(
    outcome: str | Refusal, headers: Callable[[AccessStage], Headers], *, peer: str = GATEWAY
) -> Way:
    return Way("gateway", lambda stage, _scope: Sent(headers(stage), peer), outcome)


def _revoked(stage: AccessStage) -> str:
    key = stage.key()
    assert stage.container.api_keys().revoke(key.split("_")[1])
    return key


WAYS: Mapping[str, Way] = {
    "a key": _key(OWN, lambda stage, scope: bearer(stage.key(scopes=frozenset({scope})))),
    "a key in its own header": _key(OWN, lambda stage, _: {"X-API-Key": stage.key()}),
    "a key, and headers that repeat it": _key(OWN, lambda stage, _: bearer(stage.key()) | _named(stage)),
    "a key, and twins with underscores": _key(
        OWN, lambda stage, _: bearer(stage.key()) | {"X_Tenant_ID": str(stage.other), "X_User_ID": "mallory"}
    ),
    "a key of another tenant": _key(OTHER, lambda stage, _: bearer(stage.key(stage.other))),
    "a key, and another tenant": _key(
        CONTRADICTED, lambda stage, _: bearer(stage.key(stage.other)) | {"X-Tenant-ID": str(stage.tenant)}
    ),
    "a key, and another user": _key(
        CONTRADICTED, lambda stage, _: bearer(stage.key()) | {"X-User-ID": "mallory"}
    ),
    "a key that has expired": _key(BAD_KEY, lambda stage, _: bearer(stage.key(seconds=-1))),
    "a key that is revoked": _key(BAD_KEY, lambda stage, _: bearer(_revoked(stage))),
    "a key without the scope": _key(
        NO_SCOPE, lambda stage, scope: bearer(stage.key(scopes=ALL_SCOPES - {scope}))
    ),
    "no key": _key(NO_KEY, lambda _stage, _scope: {}),
    "headers in place of a key": _key(NO_KEY, lambda stage, _: _named(stage)),
    "a key with a wrong letter": _key(BAD_KEY, lambda stage, _: bearer(stage.key()[:-1])),
    "a token": _token(OWN),
    "a token of another tenant": _token(OTHER, tenant_id=lambda stage, _: str(stage.other)),
    "a token, and another tenant": _token(CONTRADICTED, {"X-Tenant-ID": str(uuid4())}),
    "a token, and another user": _token(CONTRADICTED, {"X-User-ID": "mallory"}),
    "a token without a tenant": _token(NO_TENANT, tenant_id=_none),
    "a token whose tenant is none": _token(NO_TENANT, tenant_id=lambda _stage, _scope: "acme"),
    "a token that has expired": _token(BAD_KEY, exp=lambda _stage, _scope: 1_000_000),
    "a token for another audience": _token(BAD_KEY, aud=lambda _stage, _scope: "account"),
    "a token without an audience": _token(BAD_KEY, aud=_none),
    "a token of another issuer": _token(BAD_KEY, iss=lambda _stage, _scope: "https://login.example.com"),
    "a token without the scope": _token(
        NO_SCOPE, scope=lambda _stage, scope: " ".join(sorted(ALL_SCOPES - {scope}))
    ),
    "no token": Way("token", lambda _stage, _scope: Sent({}), NO_KEY),
    "headers in place of a token": Way("token", lambda stage, _: Sent(_named(stage)), NO_KEY),
    "a token beside keys": _token(OWN)._replace(auth="token,key"),
    "a key beside tokens": _key(OWN, lambda stage, _: bearer(stage.key()))._replace(auth="token,key"),
    "neither token nor key": Way("token,key", lambda _stage, _scope: Sent({}), NO_KEY),
    "the gateway": _gateway(OWN, _named),
    "the gateway, and another tenant": _gateway(
        OTHER, lambda stage: _named(stage) | {"X-Tenant-ID": str(stage.other)}
    ),
    "the gateway without a tenant": _gateway(NO_TENANT, lambda _: {"X-User-ID": USER}),
    "the gateway, and a tenant that is none": _gateway(NO_TENANT, lambda _: {"X-Tenant-ID": "acme"}),
    "the gateway, and a twin with underscores": _gateway(
        NO_TENANT, lambda stage: {"X_Tenant_ID": str(stage.tenant)}
    ),
    "the gateway, and two tenants": Way(
        "gateway",
        lambda stage, _: Sent({"X-Tenant-ID": str(stage.tenant), "x-tenant-id": str(uuid4())}, GATEWAY),
        TWICE,
    ),
    "a peer that is no gateway": _gateway(NO_PROXY, _named, peer=STRANGER),
    "a peer that says it comes from the gateway": _gateway(
        NO_PROXY,
        lambda stage: _named(stage) | {"X-Forwarded-For": GATEWAY, "X-Real-IP": GATEWAY},
        peer=STRANGER,
    ),
    "a peer that is no gateway, without headers": _gateway(NO_PROXY, lambda _: {}, peer=STRANGER),
}
"""All ways; one stage serves those of each value of `AUTH`."""
