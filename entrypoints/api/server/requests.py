"""Checks of a request's head that h11 leaves to its user (RFC 9110 and RFC 9112)."""

import re

import h11

from entrypoints.api.problems import (
    HeadersTooLargeError,
    InvalidRequestError,
    ProblemError,
    RequestTargetTooLongError,
    UnsupportedHttpVersionError,
    UnsupportedTransferCodingError,
)

MAX_HEAD_BYTES = 64 * 1024
"""Limit of a request's line and headers; RFC 9112, section 3 asks for 8,000 bytes of the line at least."""

_ABSOLUTE = re.compile(rb"https?://(?P<authority>[^/?#]+)(?P<rest>.*)", re.IGNORECASE)
_BROKEN_TARGET = re.compile(rb"#|%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
_CODINGS = re.compile(rb"^transfer-encoding:(.*)$", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(rb"\n\r?\n")
_QUOTED_BYTES = re.compile(r":? (?:bytearray\()?b['\"].*", re.DOTALL)


def checked(request: h11.Request) -> h11.Request:
    """Check a request that h11 has parsed, and return it with its target as a path or `*`.

    Raises:
        ProblemError: the request cannot be served.
    """
    if not request.http_version.startswith(b"1."):
        raise UnsupportedHttpVersionError("This server speaks HTTP/1.1 and HTTP/1.0.")
    _check_size(request)
    _check_length(request)
    request = _with_path(request)
    if not _HOST.fullmatch(_header(request, b"host")):
        raise InvalidRequestError("Host is not the name or address of a host.")
    return request


def problem_behind(error: h11.RemoteProtocolError, head: bytes) -> ProblemError:
    """Say what h11 refused; `head` is the data that it read, or nothing if it read a body."""
    if error.error_status_hint == 501:  # noqa: PLR2004 - h11's hint for transfer codings
        return _transfer_coding(head)
    if error.error_status_hint == 431 and head:  # noqa: PLR2004 - h11's hint for its limit
        return _too_large(line_ended=b"\n" in head)
    text = _QUOTED_BYTES.sub("", str(error))
    return InvalidRequestError(f"{text[:1].upper()}{text[1:]}.")


def _check_size(request: h11.Request) -> None:
    """Check the limit of an unfinished head, which h11 knows, for one that arrived at once."""
    line = len(request.target)
    if line + sum(len(name) + len(value) for name, value in request.headers) > MAX_HEAD_BYTES:
        raise _too_large(line_ended=line <= MAX_HEAD_BYTES)


def _check_length(request: h11.Request) -> None:
    """Check that one header declares the length: a proxy in front may believe another one (RFC 9112, 6.1)."""
    names = {name for name, _ in request.headers}
    if b"transfer-encoding" in names and b"content-length" in names:
        raise InvalidRequestError("The request has Content-Length and Transfer-Encoding; declare one length.")
    if b"transfer-encoding" in names and request.http_version == b"1.0":
        raise InvalidRequestError("A request of HTTP/1.0 has no Transfer-Encoding.")


def _with_path(request: h11.Request) -> h11.Request:
    """Accept the forms of a target (RFC 9112, section 3.2), and reduce the absolute form to the path."""
    target = request.target
    if request.method == b"CONNECT":  # answered 501
        return request
    if target == b"*" and request.method != b"OPTIONS":
        raise InvalidRequestError("The target * is only for OPTIONS.")
    if _BROKEN_TARGET.search(target):
        raise InvalidRequestError("The target has a # or an incomplete percent-encoding.")
    if target == b"*" or target.startswith(b"/"):
        return request
    return _from_absolute(request)


def _from_absolute(request: h11.Request) -> h11.Request:
    """Take the host from an absolute target, as RFC 9112, section 3.2.2 requires."""
    match = _ABSOLUTE.fullmatch(request.target)
    if match is None:
        raise InvalidRequestError("The target must be a path, or an URL of http or https.")
    path = match["rest"] or (b"*" if request.method == b"OPTIONS" else b"/")
    headers = [(name, value) for name, value in request.headers if name != b"host"]
    return h11.Request(
        method=request.method,
        target=b"/" + path if path.startswith(b"?") else path,
        headers=[(b"host", match["authority"]), *headers],
        http_version=request.http_version,
    )


def _transfer_coding(head: bytes) -> ProblemError:
    """Tell a body without an end from a coding that is not known (RFC 9112, sections 6.1 and 6.3)."""
    headers = _BLANK_LINE.split(head, maxsplit=1)[0]
    codings = [each.strip().lower() for each in b",".join(_CODINGS.findall(headers)).split(b",")]
    if codings[-1:] == [b"chunked"] and codings.count(b"chunked") == 1:
        return UnsupportedTransferCodingError("The only transfer coding that is known is chunked.")
    return InvalidRequestError("Transfer-Encoding must end with chunked, once.")


def _too_large(*, line_ended: bool) -> ProblemError:
    if line_ended:
        return HeadersTooLargeError(f"The request line and the headers may have {MAX_HEAD_BYTES} bytes.")
    return RequestTargetTooLongError(f"The request line may have {MAX_HEAD_BYTES} bytes.")


def _header(request: h11.Request, name: bytes) -> bytes:
    return next((value for each, value in request.headers if each == name), b"")
