"""Addresses that may be reached, on every version of Python."""

from ipaddress import ip_address, ip_network

import pytest

from adapters.web.addresses import is_allowed, is_listed

FORBIDDEN = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.9 192.0.0.170
    192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
    239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:7f00:1
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1::
    2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:a9fe:a9fe:: 3fff::1 5f00::1 fc00::1 fd00::1
    fd00:ec2::254 fd20:ce::254 fe80::1 fec0::1 ff02::1 ff0e::1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 52.95.110.1 100.63.255.255 100.128.0.1 172.32.0.1 2606:4700::1111 2a00:1450::1
    2600:1f18::1 ::ffff:8.8.8.8
"""
ALWAYS_FORBIDDEN = """
    0.0.0.0 169.254.169.254 169.254.170.2 100.100.100.200 224.0.0.1 255.255.255.255 :: fe80::1 fd00:ec2::254
    fd20:ce::254 ff02::1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe
"""
EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@pytest.mark.parametrize("address", FORBIDDEN.split())
def test_an_address_that_is_not_public_is_forbidden(address: str) -> None:
    assert not is_allowed(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_allowed(ip_address(address))


@pytest.mark.parametrize("address", ALWAYS_FORBIDDEN.split())
def test_no_setting_opens_the_credentials_of_a_machine(address: str) -> None:
    assert not is_allowed(ip_address(address), EVERYTHING)
    assert not is_listed(ip_address(address), EVERYTHING)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "64:ff9b::808:808"])
def test_the_operators_networks_are_open_and_others_are_not(address: str) -> None:
    networks = tuple(map(ip_network, ("10.1.0.0/16", "fd12::/32", "64:ff9b::/96")))

    assert is_allowed(ip_address(address), networks)
    assert is_listed(ip_address(address), networks)
    assert not is_allowed(ip_address("10.2.0.1"), networks)
    assert not is_listed(ip_address("8.8.8.8"), networks)


def test_behind_a_translation_counts_the_address_that_it_leads_to() -> None:
    nat64 = (ip_network("64:ff9b::/96"),)

    assert is_allowed(ip_address("64:ff9b::1.1.1.1"), nat64)
    assert not is_allowed(ip_address("64:ff9b::10.0.0.1"), nat64)
