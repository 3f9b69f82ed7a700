"""Network addresses that may be reached: public ones, and those of the operator's networks.

A URL must not reach the service's own network (server-side request forgery).
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(each) for each in text.split())


PUBLIC_IPV6 = IPv6Network("2000::/3")
"""All addresses that IANA gives out to the public; the translations of IPv4 are outside, but for two."""

NOT_PUBLIC = _networks(
    """
    192.0.0.0/24 192.88.99.0/24 100.64.0.0/10 168.63.129.16/32
    2001::/23 2001:db8::/32 2002::/16 3fff::/20
    """
)
"""Networks that `is_global` of some or all Python versions takes for public.

Protocol assignments and Teredo, relays of 6to4 and 6to4 itself, carriers' networks, documentation, and the
host of Azure's virtual machines, which only they can reach.
"""

NEVER = _networks(
    """
    0.0.0.0/8 169.254.0.0/16 100.100.100.200/32 224.0.0.0/4 240.0.0.0/4
    ::/128 fe80::/10 fd00:ec2::254/128 fd20:ce::254/128 ff00::/8
    """
)
"""Networks that no setting opens: the credentials of clouds' machines, this network, multicast, reserved."""

NAT64 = IPv6Network("64:ff9b::/96")


def resolved(host: str) -> list[Address]:
    """Resolve a name once; blocks.

    Raises:
        OSError: it has no address, or the resolver fails.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(each[4][0]) for each in found))


def is_allowed(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Check an address; `allowed` are networks that may be reached although they are not public."""
    real = _unmapped(address)
    if _is_in(real, NEVER):
        return False
    if _is_in(real, allowed):
        return real not in NAT64 or is_allowed(IPv4Address(int(real) & 0xFFFFFFFF), allowed)
    return _is_public(real)


def is_listed(address: Address, allowed: Sequence[Network]) -> bool:
    """Check that an address lies in one of the operator's networks, and may be reached."""
    return _is_in(_unmapped(address), allowed) and is_allowed(address, allowed)


def _unmapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in PUBLIC_IPV6:
        return False
    return address.is_global and not address.is_multicast and not _is_in(address, NOT_PUBLIC)


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
