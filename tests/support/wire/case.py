"""One row of docs/http.md: a request as bytes, its answer, and the rule behind it."""

from enum import StrEnum
from typing import NamedTuple

BOUNDARY = "xyz"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
DISPOSITION = 'Content-Disposition: form-data; name="file"; filename="a.wav"'
SOUND = b"sound"


class After(StrEnum):
    """What the connection does after the answer."""

    OPEN = ""
    CLOSED = ", closed"
    READING = ", then reads the body"


class Case(NamedTuple):
    """Kind of request.

    Attributes:
        sent: the bytes; before each part but the first, the caller waits for `100 Continue`.
        heard: the recording that arrives; None without an upload.
        ends: the caller shuts its side of the connection after what it sends.
    """

    request: str
    why: str
    sent: tuple[bytes, ...]
    status: int = 200
    problem: str = ""
    after: After = After.OPEN
    heard: bytes | None = None
    ends: bool = False

    @property
    def row(self) -> str:
        """The row of the table in docs/http.md."""
        problem = f" `{self.problem}`" if self.problem else ""
        return f"| {self.request} | {self.status}{problem}{self.after} | {self.why} |"


def head(line: str, *headers: str, host: str | None = "test") -> bytes:
    """Encode a request line and headers."""
    lines = (line, *(() if host is None else (f"Host: {host}",)), *headers)
    return "".join(f"{each}\r\n" for each in (*lines, "")).encode("latin-1")


def get(target: str = "/health/live", *headers: str, host: str | None = "test") -> bytes:
    """Encode a GET request."""
    return head(f"GET {target} HTTP/1.1", *headers, host=host)


def post(
    body: bytes,
    *headers: str,
    content_type: str | None = FORM_TYPE,
    version: str = "1.1",
    path: str = "/batch/process",
) -> bytes:
    """Encode an upload with its length."""
    length = f"Content-Length: {len(body)}"
    return upload_head(*headers, length, content_type=content_type, version=version, path=path) + body


def upload_head(
    *headers: str,
    content_type: str | None = FORM_TYPE,
    version: str = "1.1",
    path: str = "/batch/process",
) -> bytes:
    """Encode the head of an upload, without a length."""
    kind = () if content_type is None else (f"Content-Type: {content_type}",)
    return head(f"POST {path} HTTP/{version}", *kind, *headers)


def form(
    content: bytes = SOUND, *headers: str, boundary: str = BOUNDARY, padding: str = "", end: str = "\r\n"
) -> bytes:
    """Encode a form with one part; by default the part is the recording."""
    lines = (f"--{boundary}{padding}", *(headers or (DISPOSITION,)), "", "")
    return "\r\n".join(lines).encode() + content + f"\r\n--{boundary}--{padding}{end}".encode()


def chunked(body: bytes, extension: str = "", trailers: str = "") -> bytes:
    """Encode a body as two chunks and the last one."""
    chunks = (body[:9], body[9:])
    encoded = b"".join(b"%X%s\r\n%s\r\n" % (len(chunk), extension.encode(), chunk) for chunk in chunks)
    return encoded + b"0\r\n" + trailers.encode() + b"\r\n"
