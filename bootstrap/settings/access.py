"""Settings of callers: their proof and their identity."""

from pydantic import Field

from bootstrap.choices import Authentication, IdentityMode
from bootstrap.fields import Algorithms, Auth, Printable, Proxies, TenantId, Url
from bootstrap.settings.group import SettingsGroup
from domain.model.identity import IdentityDefaults


class TokenSettings(SettingsGroup):
    """Tokens of `AUTH=token`: their issuer, and what in them is read."""

    auth_issuer: Printable | None = None
    auth_audience: Printable | None = None
    auth_jwks_url: Url | None = None
    auth_algorithms: Algorithms = ("RS256", "ES256")
    auth_tenant_claim: Printable = "tenant_id"
    auth_user_claim: Printable = "sub"
    auth_scope_claim: Printable | None = None


class AccessSettings(TokenSettings):
    """Proof and identity of callers; `IDENTITY` and `MOCK_*` count for HTTP with `AUTH=open` alone."""

    auth: Auth = Authentication.OPEN
    trusted_proxies: Proxies = Field(default=(), validate_default=True)
    identity: IdentityMode = IdentityMode.LENIENT
    mock_tenant_id: TenantId | None = None
    mock_user_id: Printable | None = None

    @property
    def identity_defaults(self) -> IdentityDefaults:
        """Identity of requests without identity headers (requirements 2.2 and 2.5)."""
        return IdentityDefaults(
            tenant_id=self.mock_tenant_id,
            user_id=self.mock_user_id,
            is_strict=self.identity is IdentityMode.STRICT,
        )
