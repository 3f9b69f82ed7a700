"""Addresses that this machine alone can reach."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Return true for an address that this machine alone can reach; a name but localhost may be any."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
