"""Callers behind a gateway, which has authenticated them and names them in headers (`AUTH=gateway`)."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from domain.model.access import Caller, Credentials, Scope, stated_identity
from domain.model.errors import UntrustedPeerError
from ports.authenticator_port import AuthenticatorPort

GATEWAY_SCOPES = frozenset({Scope.WRITE, Scope.READ})
"""A gateway says who a caller is, not that the caller operates the service."""


class GatewayAuthenticator(AuthenticatorPort):
    """Takes headers for proof where the connection comes from a listed proxy, and refuses all others.

    The peer is the other end of the connection; `X-Forwarded-For` and its kin are not read. A peer without
    an address, as that of a Unix socket, is not listed: the service listens on none.
    """

    def __init__(self, proxies: Sequence[IPv4Network | IPv6Network]) -> None:
        self._proxies = tuple(proxies)

    async def identify(self, credentials: Credentials, /) -> Caller:
        """Check the peer, then read the headers."""
        if not self._is_listed(credentials.peer):
            raise UntrustedPeerError("Requests are accepted from the gateway alone; send this one there.")
        return Caller(stated_identity(credentials), GATEWAY_SCOPES)

    def _is_listed(self, peer: str | None) -> bool:
        address = _address(peer)
        return address is not None and any(address in network for network in self._proxies)


def _address(peer: str | None) -> IPv4Address | IPv6Address | None:
    """Parse an address; a socket for both versions shows IPv4 peers as `::ffff:10.0.0.1`."""
    try:
        address = ip_address(peer or "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
