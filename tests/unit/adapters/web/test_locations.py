"""URLs that are refused at the door, without a network."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from adapters.web.locations import location_of
from domain.model.errors import SourceRefusedError
from tests.support.web.names import Names

Build = Callable[..., Any]

REFUSED = {
    "another scheme": "http://media.example.com/a.wav",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://media.example.com/",
    "no scheme": "media.example.com/a.wav",
    "scheme alone": "https:",
    "no host": "https:///a.wav",
    "no slashes": "https:media.example.com/a.wav",
    "user": "https://user@media.example.com/",
    "password": "https://user:hunter2@media.example.com/",
    "empty user": "https://@media.example.com/",
    "backslash": "https://media.example.com\\@10.0.0.1/",
    "user behind a hash": "https://media.example.com#@10.0.0.1/ x",
    "space": "https://media.example.com/a b.wav",
    "leading space": " https://media.example.com/",
    "new line": "https://media.example.com/\r\nHost: metadata",
    "tab in the scheme": "ht\ttps://media.example.com/",
    "null": "https://media.example.com/\0",
    "delete": "https://media.example.com/\x7f",
    "outside ASCII": "https://bücher.example/",
    "full-width dot": "https://169。254。169。254/",
    "circled digits": "https://①②⑦.0.0.1/",
    "percent in the name": "https://media%2eexample.com/",
    "zone": "https://[fe80::1%25eth0]/",
    "no closing bracket": "https://[::1/",
    "name in brackets": "https://[media.example.com]/",
    "future address": "https://[v1.fe80::1]/",
    "IPv4 in brackets": "https://[127.0.0.1]/",
    "IPv6 without brackets": "https://::1/",
    "empty label": "https://media..example.com/",
    "dot alone": "https://./",
    "two dots at the end": "https://media.example.com../",
    "leading hyphen": "https://-media.example.com/",
    "long label": f"https://{'a' * 64}.example.com/",
    "long name": f"https://{'a.' * 127}com/",
    "dword": "https://2130706433/",
    "hexadecimal": "https://0x7f000001/",
    "hexadecimal part": "https://0x7f.0.0.1/",
    "octal": "https://0177.0.0.1/",
    "short": "https://127.1/",
    "zeros": "https://127.000.000.001/",
    "five parts": "https://1.2.3.4.5/",
    "dword with a dot": "https://2130706433./",
    "port of letters": "https://media.example.com:https/",
    "negative port": "https://media.example.com:-443/",
    "large port": "https://media.example.com:65536/",
    "too long": "https://media.example.com/" + "a" * 2048,
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
def test_a_malformed_or_dangerous_url_is_refused(build: Build, url: str) -> None:
    with pytest.raises(SourceRefusedError) as refusal:
        build().check(url)

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://media.example.com", "media.example.com", 443, "/"),
        ("HTTPS://Media.Example.COM./a.wav", "media.example.com", 443, "/a.wav"),
        ("https://media.example.com:443/a?b=%20&c#fragment", "media.example.com", 443, "/a?b=%20&c"),
        ("https://media.example.com?a", "media.example.com", 443, "/?a"),
        ("https://my_bucket.s3.amazonaws.com/a", "my_bucket.s3.amazonaws.com", 443, "/a"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://[2606:4700::1111]/a", "2606:4700::1111", 443, "/a"),
        ("https://1.1.1.1/", "1.1.1.1", 443, "/"),
        ("https://media.example.com:/", "media.example.com", 443, "/"),
        ("https://media.example.com/a/../b", "media.example.com", 443, "/a/../b"),
    ],
)
def test_a_sound_url_is_taken_apart(url: str, host: str, port: int, target: str) -> None:
    location = location_of(url)

    assert (location.host, location.port, location.target) == (host, port, target)


def test_messages_name_the_host_as_urls_do() -> None:
    shown = [
        location_of(f"https://{host}/?secret").shown for host in ("a.example", "a.example:8443", "[::1]")
    ]

    assert shown == ["a.example", "a.example:8443", "[::1]"]


def test_the_door_resolves_no_name(build: Build) -> None:
    names = Names("10.0.0.1")

    build(resolve=names).check("https://media.example.com/a.wav")

    assert names.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:10.0.0.1]"])
def test_a_private_address_in_the_url_is_refused_at_the_door(build: Build, host: str) -> None:
    with pytest.raises(SourceRefusedError, match="public internet"):
        build(allowed=()).check(f"https://{host}/")


def test_another_port_is_refused_at_the_door_unless_there_are_networks_of_the_operator(build: Build) -> None:
    with pytest.raises(SourceRefusedError, match="only port 443"):
        build(allowed=()).check("https://media.example.com:22/")

    build(allowed=(ip_network("10.0.0.0/8"),)).check("https://media.example.com:8443/")
