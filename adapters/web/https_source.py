"""Source of recordings at HTTPS addresses that callers name."""

import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from threading import Event

from adapters.downloads import BLOCK_BYTES, DownloadLimits, save, until
from adapters.web.addresses import Address, Network, is_allowed, is_listed, resolved
from adapters.web.connection import PinnedConnection, Timing
from adapters.web.locations import HTTPS_PORT, Location, location_of
from domain.model.errors import SourceRefusedError, SourceUnavailableError
from ports.recording_source_port import RecordingSourcePort

logger = logging.getLogger(__name__)

_HEADERS = {"User-Agent": "batch-transcription", "Accept": "*/*", "Accept-Encoding": "identity"}
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Refusals that another try may turn into the recording."""
_DEFAULT_TIMING = Timing()


class HttpsRecordingSource(RecordingSourcePort):
    """Fetches recordings from the public web, and from the operator's own networks.

    Guards against server-side request forgery: a name is resolved once, each of its addresses must be public,
    and the connection goes to a checked address. No redirect is followed. The paths and queries of URLs are
    secrets (presigned URLs), and in no message.
    """

    def __init__(
        self,
        limits: DownloadLimits,
        *,
        allowed: Sequence[Network] = (),  # networks that may be reached although they are not public
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        resolve: Callable[[str], Sequence[Address]] = resolved,
        timing: Timing = _DEFAULT_TIMING,
    ) -> None:
        self._limits = limits
        self._allowed = tuple(allowed)
        self._tls = tls
        self._resolve = resolve
        self._timing = timing

    def check(self, url: str, /) -> None:
        """Check form, scheme, credentials, port, and an address that stands in the URL itself."""
        location = location_of(url)
        if location.address is not None:
            self._check_addresses(location, (location.address,))
        elif location.port != HTTPS_PORT and not self._allowed:
            raise _wrong_port(location)

    def fetch(self, url: str, target: Path, cancelled: Event, /) -> None:
        """Resolve the name, check its addresses, and read the recording from the first that answers."""
        location = location_of(url)
        addresses = self._addresses(location)
        connection = PinnedConnection(location, addresses, self._tls(), self._timing)
        with contextlib.closing(connection):
            with _translated(location):
                connection.request("GET", location.target, headers=_HEADERS)
                answer = connection.getresponse()
            with contextlib.closing(answer):
                _check_status(location, answer.status)
                size = _size(location, answer)
                self._limits.check(size or 0)
                blocks = _blocks(location, connection, answer, size)
                save(until(cancelled, blocks), target, self._limits)

    def _addresses(self, location: Location) -> Sequence[Address]:
        if location.address is not None:
            found: Sequence[Address] = (location.address,)
        else:
            with _translated(location):
                found = self._resolve(location.host)
        self._check_addresses(location, found)
        return found

    def _check_addresses(self, location: Location, addresses: Sequence[Address]) -> None:
        """Refuse a host if one of its addresses is not allowed; the caller learns none of them."""
        for address in addresses:
            if not is_allowed(address, self._allowed):
                context = {"host": location.shown, "address": str(address)}
                logger.warning(
                    "recording not fetched, its host has an address that is not public", extra=context
                )
                raise SourceRefusedError(
                    f"Recordings are not fetched from {location.shown}: it is no host of the public internet "
                    "and in no network that SOURCE_ALLOW_NETWORKS names."
                )
        if location.port != HTTPS_PORT and not all(is_listed(each, self._allowed) for each in addresses):
            raise _wrong_port(location)


def _wrong_port(location: Location) -> SourceRefusedError:
    return SourceRefusedError(
        f"Recordings are not fetched from {location.shown}: only port {HTTPS_PORT} is allowed."
    )


def _check_status(location: Location, status: int) -> None:
    if status == HTTPStatus.OK:
        return
    answered = f"{location.shown} answered {status}"
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        raise SourceRefusedError(
            f"{answered}: redirects are not followed; name the address that it leads to."
        )
    if status >= 500 or status in _LATER:  # noqa: PLR2004 - the class of the server's own faults
        raise SourceUnavailableError(f"{answered} instead of the recording.")
    raise SourceRefusedError(f"{answered} instead of the recording.")


def _size(location: Location, answer: HTTPResponse) -> int | None:
    """Return the declared size in bytes; None if there is none.

    Raises:
        SourceRefusedError: the recording is compressed for the transfer.
        SourceUnavailableError: the answer contradicts itself.
    """
    codings = [*_values(answer, "Content-Encoding"), *_values(answer, "Transfer-Encoding")]
    if any(coding.lower() not in {"identity", "chunked"} for coding in codings):
        raise SourceRefusedError(
            f"{location.shown} compresses the recording for the transfer, although it was asked not to."
        )
    sizes = set(_values(answer, "Content-Length"))
    if "chunked" in (coding.lower() for coding in _values(answer, "Transfer-Encoding")) or not sizes:
        return None
    size = sizes.pop()
    if sizes or not size.isascii() or not size.isdigit() or len(size) > 18:  # noqa: PLR2004 - an exabyte
        raise SourceUnavailableError(f"{location.shown} declares no clear size of the recording.")
    return int(size)


def _values(answer: HTTPResponse, name: str) -> list[str]:
    fields = answer.headers.get_all(name, [])
    return [value.strip() for field in fields for value in str(field).split(",")]


def _blocks(
    location: Location, connection: PinnedConnection, answer: HTTPResponse, size: int | None
) -> Iterator[bytes]:
    """Read the body to its declared end.

    Raises:
        SourceUnavailableError: the connection broke, stalled, or ended before.
    """
    received = 0
    while True:
        with _translated(location):
            block = answer.read(BLOCK_BYTES)
        if not block:
            break
        received += len(block)
        connection.note_received(received)
        yield block
    if size is not None and received != size:
        raise SourceUnavailableError(f"{location.shown} sent {received} of {size} bytes of the recording.")
    if size is None and not received:  # http.client takes a head that is cut for a whole one
        raise SourceUnavailableError(f"{location.shown} sent an answer without a recording.")


@contextlib.contextmanager
def _translated(location: Location) -> Iterator[None]:
    """Translate the errors of the network; the messages quote nothing that a host sent."""
    try:
        yield
    except (OSError, HTTPException) as error:
        raise SourceUnavailableError(f"{location.shown} {_fault(error)}.") from None


def _fault(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "did not send the recording in time"
        case socket.gaierror():
            return "could not be found: its name has no address, or the resolver fails"
        case ssl.SSLCertVerificationError():
            return f"has a certificate that is not accepted: {error.verify_message}"
        case ssl.SSLError():
            return "broke the encrypted connection"
        case HTTPException():
            return "sent an unreadable or cut answer"
        case _:
            return f"could not be reached: {error.strerror or type(error).__name__}"  # type: ignore[attr-defined]
