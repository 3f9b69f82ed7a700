"""URLs of recordings and endpoints: what can be checked without a network."""

import re
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from adapters.web.addresses import Address
from domain.model.errors import SourceRefusedError

MAX_URL_LENGTH = 2048
HTTPS_PORT = 443
DEFAULT_PORTS = {"https": HTTPS_PORT, "http": 80}

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)*{_LABEL}")
_NUMERIC_END = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")
"""Names that a resolver reads as an IPv4 address, in one of its many spellings."""


class Location(NamedTuple):
    """Place on the web; its path and query are secrets, and in no message."""

    host: str  # a name in small letters without a dot at its end, or an address
    address: Address | None  # of a host that is written as one
    port: int
    target: str  # path and query
    scheme: str = "https"

    @property
    def shown(self) -> str:
        """Host and port, for messages."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == self.default_port else f"{host}:{self.port}"

    @property
    def default_port(self) -> int:
        """Port of the scheme."""
        return DEFAULT_PORTS[self.scheme]


def location_of(url: str) -> Location:
    """Parse the URL of a recording.

    Raises:
        SourceRefusedError: it is malformed, too long, has credentials, or another scheme than https.
    """
    try:
        return parsed(url)
    except ValueError as error:
        raise SourceRefusedError(f"The URL of the recording {error}.") from None


def parsed(url: str, *, schemes: tuple[str, ...] = ("https",)) -> Location:
    """Parse a URL.

    Raises:
        ValueError: it is malformed, too long, has credentials, or another scheme; the message is the rest of
            a sentence that begins with the URL's name.
    """
    if len(url) > MAX_URL_LENGTH:
        raise ValueError(f"has more than {MAX_URL_LENGTH} characters")
    if not re.fullmatch(r"[!-~]*", url) or "\\" in url:
        raise ValueError(
            "has a space, a backslash, a control character or one outside ASCII; "
            "write it percent-encoded, and names in their ASCII form (xn--…)"
        )
    parts, port = _split(url)
    if parts.scheme not in schemes:
        raise ValueError(f"must begin with {' or '.join(f'{each}://' for each in schemes)}")
    if "@" in parts.netloc:
        raise ValueError("must not have a user or a password")
    host, address = _host(parts)
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return Location(
        host, address, DEFAULT_PORTS[parts.scheme] if port is None else port, target, parts.scheme
    )


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is malformed") from None
    return parts, port


def _host(parts: SplitResult) -> tuple[str, Address | None]:
    host = (parts.hostname or "").removesuffix(".")
    is_bracketed = parts.netloc.startswith("[")
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if is_bracketed != isinstance(address, IPv6Address) or "%" in host:
        raise ValueError("has a malformed address")
    if address is None and (not _NAME.fullmatch(host) or _NUMERIC_END.fullmatch(host)):
        raise ValueError("has no valid name of a host")
    return host, address
