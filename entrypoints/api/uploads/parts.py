"""Parser of multipart bodies (RFC 2046, section 5.1.1): separates the parts while their bytes arrive.

A delimiter is a whole line: CRLF, two hyphens, the boundary, two more hyphens behind the last part, and any
white space that a gateway has added (transport padding). A line that only begins like one is content.
Preamble and epilogue are ignored.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from entrypoints.api.problems import MalformedUploadError
from entrypoints.api.uploads.header_values import parse_header_value

MAX_HEAD_BYTES = 16 * 1024
"""Limit of a part's header lines."""
MAX_LINE_END_BYTES = 256
"""Limit of the rest of a delimiter's line, behind the boundary."""

_LINE_END = re.compile(rb"(--)?[ \t]*\r\n")
_UNFINISHED_LINE_END = re.compile(rb"(?:--?)?[ \t]*\r?")
_LAST_LINE_END = re.compile(rb"--[ \t]*\r?")
_FOLD = re.compile(rb"\r\n[ \t]+")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*)")


class Part(NamedTuple):
    """Beginning of a part, by what its header lines say."""

    name: str | None  # of the form field; None without one
    transfer_encoding: str  # Content-Transfer-Encoding in lower case; empty without one


class MultipartParser:
    """Separates the parts of one body; each call of `feed` continues where the last one stopped."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")  # the first delimiter may be the first line
        self._skip = 0  # bytes of the buffer that belong to the line before the content
        self._in_part = False  # false: in the preamble
        self._step: Callable[[], bool] = self._read_content
        self._found: list[Part | bytes] = []

    @property
    def is_complete(self) -> bool:
        """True behind the last delimiter."""
        at_last_line = self._step == self._read_line_end and _LAST_LINE_END.fullmatch(self._line_end())
        return self._step == self._read_epilogue or bool(at_last_line)

    def feed(self, data: bytes) -> list[Part | bytes]:
        """Parse more of the body: each part is followed by its content in blocks.

        Raises:
            MalformedUploadError: the header of a part cannot be read.
        """
        self._buffer += data
        self._found = []
        while self._step():
            pass
        return self._found

    def _read_content(self) -> bool:
        at = self._buffer.find(self._delimiter)
        self._pass_on(at if at >= 0 else max(len(self._buffer) - len(self._delimiter) + 1, 0))
        if at >= 0:
            self._step = self._read_line_end
        return at >= 0

    def _pass_on(self, count: int) -> None:
        skipped = min(count, self._skip)
        content = bytes(self._buffer[skipped:count])
        del self._buffer[:count]
        self._skip -= skipped
        if content and self._in_part:
            self._found.append(content)

    def _line_end(self) -> bytes:
        start = len(self._delimiter)
        return bytes(self._buffer[start : start + MAX_LINE_END_BYTES])

    def _read_line_end(self) -> bool:
        """Tell a delimiter from a line that begins like one, as soon as its end has arrived."""
        line_end = self._line_end()
        match = _LINE_END.match(line_end)
        if match:
            self._leave_part(is_last=match[1] is not None, line_end_bytes=match.end())
        elif len(line_end) < MAX_LINE_END_BYTES and _UNFINISHED_LINE_END.fullmatch(line_end):
            return False
        else:
            self._step = self._read_content
            self._pass_on(len(self._delimiter))
        return True

    def _leave_part(self, *, is_last: bool, line_end_bytes: int) -> None:
        del self._buffer[: len(self._delimiter) + line_end_bytes - len(b"\r\n")]
        self._step = self._read_epilogue if is_last else self._read_head

    def _read_head(self) -> bool:
        """Read lines up to an empty one, whose CRLF may also begin the delimiter behind an empty part."""
        end = self._buffer.find(b"\r\n\r\n")
        if end > MAX_HEAD_BYTES or (end < 0 and len(self._buffer) > MAX_HEAD_BYTES):
            raise MalformedUploadError(f"The header of a part has more than {MAX_HEAD_BYTES} bytes.")
        if end >= 0:
            self._found.append(_part(_headers(bytes(self._buffer[:end]))))
            del self._buffer[: end + len(b"\r\n")]
            self._skip, self._in_part, self._step = len(b"\r\n"), True, self._read_content
        return end >= 0

    def _read_epilogue(self) -> bool:
        self._buffer.clear()
        return False


def _headers(head: bytes) -> Mapping[bytes, bytes]:
    """Read header lines, each behind a CRLF; folded ones (RFC 5322, section 2.2.3) are joined."""
    headers: dict[bytes, bytes] = {}
    for line in _FOLD.sub(b" ", head).split(b"\r\n")[1:]:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise MalformedUploadError("The header of a part has a line that is no header.")
        name = match[1].lower()
        if name in headers and name == b"content-disposition":
            raise MalformedUploadError("A part has Content-Disposition twice.")
        headers[name] = match[2].rstrip(b" \t")
    return headers


def _part(headers: Mapping[bytes, bytes]) -> Part:
    disposition = headers.get(b"content-disposition", b"").decode("utf-8", "replace")
    try:
        name = parse_header_value(disposition).parameters.get("name")
    except ValueError as error:
        raise MalformedUploadError(f"The Content-Disposition of a part cannot be used: {error}.") from error
    return Part(name, headers.get(b"content-transfer-encoding", b"").decode("utf-8", "replace").lower())
