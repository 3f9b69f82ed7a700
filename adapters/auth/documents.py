"""JSON documents of an issuer, fetched over HTTPS within limits of time and size.

The operator names the issuer, so its host may be a private one. No redirect is followed, and proxies of the
environment are ignored.
"""

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPException
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from adapters.auth.loopback import is_loopback

MAX_DOCUMENT_BYTES = 1024 * 1024

_HEADERS = {"User-Agent": "batch-transcription", "Accept": "application/json", "Accept-Encoding": "identity"}

Document = dict[str, object]


class DocumentError(Exception):
    """The document cannot be fetched or read; the message names it and says why."""


def is_safe(url: str) -> bool:
    """Check that a URL has no password and is https://, or http:// at this machine itself."""
    try:
        parts = urlsplit(url)
        is_http_here = parts.scheme == "http" and is_loopback(parts.hostname or "")
        return bool(parts.hostname) and "@" not in parts.netloc and (parts.scheme == "https" or is_http_here)
    except ValueError:
        return False


def fetch_document(url: str, deadline: float) -> Document:
    """Fetch a JSON object until a time of `time.monotonic`; blocks.

    Only a resolver or a host of many addresses can exceed the deadline, since each has a wait of its own.

    Raises:
        DocumentError: the address is not safe, or the answer does not come in time, is no 200, is too large
            or no JSON object.
    """
    if not is_safe(url):
        raise DocumentError(f"{url} is not fetched: it must begin with https://")
    try:
        body = _body(url, deadline)
    except (OSError, HTTPError, HTTPException, ValueError) as error:
        raise DocumentError(f"{url} {_fault(error)}") from None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise DocumentError(f"{url} is no JSON object")
    return document


def _body(url: str, deadline: float) -> bytes:
    parts = urlsplit(url)
    connection = _connection(parts, _remaining(deadline))
    with contextlib.closing(connection):
        connection.connect()
        with _cut_off(connection.sock, deadline):
            target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            connection.request("GET", target, headers=_HEADERS, preload_content=False, decode_content=False)
            with contextlib.closing(connection.getresponse()) as answer:
                return _read(url, answer)


def _connection(parts: SplitResult, seconds: float) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(host, parts.port, timeout=seconds)
    return HTTPSConnection(host, parts.port, timeout=seconds, ssl_context=ssl.create_default_context())


def _remaining(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


@contextlib.contextmanager
def _cut_off(connected: socket.socket, deadline: float) -> Iterator[None]:
    """End a connection at a deadline, however slowly single bytes arrive.

    Raises:
        TimeoutError: the deadline has passed.
    """
    timer = Timer(_remaining(deadline), _shut, [connected])
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPError, HTTPException):
        _remaining(deadline)  # the deadline is the reason, if it has passed
        raise
    finally:
        timer.cancel()
    _remaining(deadline)  # a body without a declared length seems to end where it is cut


def _shut(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _read(url: str, answer: HTTPResponse) -> bytes:
    if answer.status != HTTPStatus.OK:
        is_redirect = 300 <= answer.status < 400  # noqa: PLR2004 - the class of redirects
        advice = ": redirects are not followed" if is_redirect else ""
        raise DocumentError(f"{url} answered {answer.status}{advice}")
    body = answer.read(MAX_DOCUMENT_BYTES + 1)
    if len(body) > MAX_DOCUMENT_BYTES:
        raise DocumentError(f"{url} has more than {MAX_DOCUMENT_BYTES} bytes")
    return body


def _fault(error: Exception) -> str:
    """Say what went wrong, without the words of the host."""
    if isinstance(error, NewConnectionError):  # one of urllib3's time-outs, although it is none
        return f"cannot be reached: {type(error).__name__}"
    if isinstance(error, TimeoutError | ConnectTimeoutError):
        return "did not answer in time"
    if isinstance(error, ssl.SSLError):
        return f"has no valid TLS: {getattr(error, 'verify_message', None) or error.reason}"
    return f"gave no answer: {type(error).__name__}"
