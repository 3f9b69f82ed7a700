import subprocess
import sys
from collections.abc import Iterator
from uuid import UUID

import pytest

from bootstrap.factories.tokens import token_authenticator
from bootstrap.settings import Settings
from domain.model.access import Credentials, Scope
from domain.model.errors import ConfigurationError
from tests.support.auth.issuer import AUDIENCE, TENANT, IssuerServer, ec_key, issuer_server

ISSUER = "https://login.example.com/realms/main"


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    with issuer_server(ec_key()) as server:
        yield server


def credentials(token: str) -> Credentials:
    return Credentials({"authorization": [f"Bearer {token}"]})


async def test_issuer_and_audience_are_all_that_it_needs(issuer: IssuerServer) -> None:
    settings = Settings.from_env({"AUTH_ISSUER": issuer.url, "AUTH_AUDIENCE": AUDIENCE})

    caller = await token_authenticator(settings).identify(credentials(issuer.token()))

    assert caller.identity.tenant_id == UUID(TENANT)
    assert issuer.requests[0].endswith("/.well-known/openid-configuration")


async def test_every_setting_has_its_effect(issuer: IssuerServer) -> None:
    settings = Settings.from_env(
        {
            "AUTH_ISSUER": "accounts.example.com",
            "AUTH_AUDIENCE": "speech",
            "AUTH_JWKS_URL": issuer.jwks_url,
            "AUTH_ALGORITHMS": "ES256 , EdDSA",
            "AUTH_TENANT_CLAIM": "org",
            "AUTH_USER_CLAIM": "email",
            "AUTH_SCOPE_CLAIM": "permissions",
        }
    )
    token = issuer.token(
        iss="accounts.example.com",
        aud="speech",
        tenant_id=None,
        org=TENANT,
        email="a@example.com",
        permissions=["read"],
    )

    caller = await token_authenticator(settings).identify(credentials(token))

    assert (caller.identity.tenant_id, caller.identity.user_id) == (UUID(TENANT), "a@example.com")
    assert caller.scopes == {Scope.READ}
    assert issuer.requests == ["/realms/main/certs"]


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "AUTH=token needs AUTH_ISSUER: the claim `iss`"),
        ({"AUTH_ISSUER": ISSUER}, "AUTH=token needs AUTH_AUDIENCE: the claim `aud`"),
        ({"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": "  "}, "AUTH=token needs AUTH_AUDIENCE"),
        (
            {"AUTH_ISSUER": "http://login.example.com", "AUTH_AUDIENCE": "a"},
            "AUTH_ISSUER='http://login.example.com': keys are fetched from https:// alone",
        ),
        ({"AUTH_ISSUER": "accounts.example.com", "AUTH_AUDIENCE": "a"}, "AUTH_ISSUER='accounts.example.com'"),
        (
            {"AUTH_ISSUER": "a", "AUTH_AUDIENCE": "a", "AUTH_JWKS_URL": "http://10.0.0.7/certs"},
            "AUTH_JWKS_URL='http://10.0.0.7/certs': keys are fetched from https:// alone",
        ),
    ],
    ids=["no issuer", "no audience", "blank audience", "http", "no address", "http keys"],
)
def test_the_start_stops_with_what_to_set(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        token_authenticator(Settings.from_env(environ))

    assert message in str(refusal.value)


@pytest.mark.parametrize(
    "names", ["HS256", "RS256,HS256", "none", "RS256,none", "rs256", "ES256K", ",", "all"]
)
def test_algorithms_with_a_shared_secret_cannot_be_configured(names: str) -> None:
    with pytest.raises(ConfigurationError, match=r"AUTH_ALGORITHMS=.*must be some of RS256, .*EdDSA"):
        Settings.from_env({"AUTH_ALGORITHMS": names})


@pytest.mark.parametrize("package", ["jwt", "cryptography"])
def test_a_missing_package_is_named_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setattr("bootstrap.extras.find_spec", lambda name: None if name == package else name)

    with pytest.raises(ConfigurationError, match=rf"AUTH=token needs {package}, .*'\.\[auth\]'"):
        token_authenticator(Settings.from_env({"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": "a"}))


@pytest.mark.process
def test_the_factory_is_imported_without_the_extra() -> None:
    code = "import sys, bootstrap.factories.tokens; print('jwt' in sys.modules, 'urllib3' in sys.modules)"

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert shown.split() == ["False", "False"]
