"""URLs of recordings: what can be checked without a network."""

import re
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from adapters.web.addresses import Address
from domain.model.errors import SourceRefusedError

MAX_URL_LENGTH = 2048
HTTPS_PORT = 443

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)*{_LABEL}")
_NUMERIC_END = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")
"""Names that a resolver reads as an IPv4 address, in one of its many spellings."""


class Location(NamedTuple):
    """Place of a recording on the web; its path and query are secrets, and in no message."""

    host: str  # a name in small letters without a dot at its end, or an address
    address: Address | None  # of a host that is written as one
    port: int
    target: str  # path and query

    @property
    def shown(self) -> str:
        """Host and port, for messages."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"


def location_of(url: str) -> Location:
    """Parse a URL.

    Raises:
        SourceRefusedError: it is malformed, too long, has credentials, or another scheme than https.
    """
    if len(url) > MAX_URL_LENGTH:
        raise SourceRefusedError(f"The URL of the recording has more than {MAX_URL_LENGTH} characters.")
    if not re.fullmatch(r"[!-~]*", url) or "\\" in url:
        raise SourceRefusedError(
            "The URL of the recording has a space, a backslash, a control character or one outside ASCII; "
            "write it percent-encoded, and names in their ASCII form (xn--…)."
        )
    parts, port = _split(url)
    if parts.scheme != "https":
        raise SourceRefusedError("The URL of the recording must begin with https://.")
    if "@" in parts.netloc:
        raise SourceRefusedError("The URL of the recording must not have a user or a password.")
    host, address = _host(parts)
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return Location(host, address, port, target)


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SourceRefusedError("The URL of the recording is malformed.") from None
    return parts, HTTPS_PORT if port is None else port


def _host(parts: SplitResult) -> tuple[str, Address | None]:
    host = (parts.hostname or "").removesuffix(".")
    is_bracketed = parts.netloc.startswith("[")
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if is_bracketed != isinstance(address, IPv6Address) or "%" in host:
        raise SourceRefusedError("The URL of the recording has a malformed address.")
    if address is None and (not _NAME.fullmatch(host) or _NUMERIC_END.fullmatch(host)):
        raise SourceRefusedError("The URL of the recording has no valid name of a host.")
    return host, address
