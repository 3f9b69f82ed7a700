"""Callers who are trusted: their headers name them (`AUTH=open`)."""

from adapters.auth.loopback import is_loopback
from domain.model.access import ALL_SCOPES, Caller, Credentials, Scope
from domain.model.identity import IdentityDefaults, resolve_identity
from ports.authenticator_port import AuthenticatorPort

FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""Headers of proxies: a request with one of them may come from another machine."""


class HeaderAuthenticator(AuthenticatorPort):
    """Takes headers for proof, from any peer; a missing tenant is generated (docs/adr/0003)."""

    def __init__(self, defaults: IdentityDefaults) -> None:
        self._defaults = defaults

    async def identify(self, credentials: Credentials, /) -> Caller:
        """Resolve the identity from the headers; only a caller on this machine may look after the service."""
        identity = resolve_identity(credentials.identity_headers(), self._defaults)
        return Caller(identity, ALL_SCOPES if is_local(credentials) else ALL_SCOPES - {Scope.OPERATE})


def is_local(credentials: Credentials) -> bool:
    """Tell if a request comes from this machine, without a proxy, and for a name of this machine alone.

    A page whose name an attacker lets point to this machine sends another name in `Host` (DNS rebinding).
    """
    is_direct = not any(credentials.all_values(name) for name in FORWARDING_HEADERS)
    hosts = [_without_port(host) for host in credentials.all_values("Host")]
    is_here = credentials.peer is None or is_loopback(credentials.peer)
    return is_direct and is_here and all(is_loopback(host) for host in hosts)


def _without_port(host: str) -> str:
    """Return the host of `127.0.0.1:8000`, `[::1]:8000` or `localhost`."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.rpartition(":")[0] or host
