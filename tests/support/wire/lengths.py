"""Lengths and transfer codings of a request's body (RFC 9112, sections 6 and 7)."""

from tests.support.wire.case import SOUND, After, Case, chunked, form, get, post, upload_head

FORM = form()
LENGTH = len(FORM)


def _refused(request: str, why: str, sent: bytes) -> Case:
    return Case(request, why, (sent,), 400, "invalid-request", After.CLOSED)


def _declared(value: str) -> bytes:
    return upload_head(f"Content-Length: {value}") + FORM


def _coded(*codings: str, body: bytes = b"", version: str = "1.1") -> bytes:
    return upload_head(*(f"Transfer-Encoding: {each}" for each in codings), version=version) + body


LENGTHS = (
    Case("`Content-Length`", "9112, 6.2", (post(FORM),), heard=SOUND),
    Case(
        "`Content-Length: n, n`, or twice",
        "9112, 6.3: one valid value",
        (post(FORM, f"Content-Length: {LENGTH}, {LENGTH}"),),
        heard=SOUND,
    ),
    _refused("`Content-Length: n` and another n", "9112, 6.3", post(FORM, "Content-Length: 7")),
    _refused("`Content-Length: +n`", "9110, 8.6: digits only", _declared(f"+{LENGTH}")),
    _refused("`Content-Length: -1`", "9110, 8.6", _declared("-1")),
    _refused("`Content-Length: 0x1F`", "9110, 8.6", _declared("0x1F")),
    _refused("`Content-Length:` without a value", "9110, 8.6", _declared("")),
    _refused("`Content-Length` of 30 digits", "9110, 8.6: larger than any size", _declared("9" * 30)),
    Case(
        "`Content-Length` beyond `MAX_UPLOAD_BYTES`",
        "9110, 15.5.14: before it is sent",
        (_declared("9" * 19),),
        413,
        "recording-too-large",
        After.READING,
    ),
    Case(
        "a body that is shorter, on a connection that stays open",
        "9110, 15.5.9: after `UPLOAD_IDLE_SECONDS`",
        (_declared(f"{LENGTH + 9}"),),
        408,
        "stalled-upload",
        After.CLOSED,
    ),
    Case("POST without a length", "9112, 6.3: an empty body", (upload_head(),), 400, "malformed-upload"),
    Case(
        "GET with a body",
        "9110, 9.3.1: it has no meaning",
        (get("/health/live", "Content-Length: 5") + b"hello",),
    ),
    Case("`Transfer-Encoding: Chunked`", "9112, 7.1", (_coded("Chunked", body=chunked(FORM)),), heard=SOUND),
    Case(
        "chunk extensions",
        "9112, 7.1.1: unknown ones are ignored",
        (_coded("chunked", body=chunked(FORM, ';a=1;b="c;d"')),),
        heard=SOUND,
    ),
    Case(
        "trailers",
        "9112, 7.1.2: discarded",
        (_coded("chunked", body=chunked(FORM, trailers="Content-Length: 5\r\nX-User-ID: eve\r\n")),),
        heard=SOUND,
    ),
    _refused(
        "`Content-Length` and `Transfer-Encoding`",
        "9112, 6.3: may be request smuggling",
        upload_head(f"Content-Length: {LENGTH}", "Transfer-Encoding: chunked") + chunked(FORM),
    ),
    Case(
        "`Transfer-Encoding: gzip, chunked`",
        "9112, 6.1: a coding that is not known",
        (_coded("gzip, chunked"),),
        501,
        "unsupported-transfer-coding",
        After.CLOSED,
    ),
    Case(
        "the same in two headers",
        "9110, 5.3: one list",
        (_coded("gzip", "chunked"),),
        501,
        "unsupported-transfer-coding",
        After.CLOSED,
    ),
    _refused("`Transfer-Encoding: gzip`", "9112, 6.3: no end of the body without chunked", _coded("gzip")),
    _refused("`Transfer-Encoding: chunked, gzip`", "9112, 6.3: the same", _coded("chunked, gzip")),
    _refused("`Transfer-Encoding: chunked, chunked`", "9112, 7.1: only once", _coded("chunked, chunked")),
    _refused("`Transfer-Encoding: identity`", "9112, 7: no longer a coding", _coded("identity")),
    _refused("`Transfer-Encoding: chunked` in HTTP/1.0", "9112, 6.1", _coded("chunked", version="1.0")),
    _refused("a chunk size that is no number", "9112, 7.1", _coded("chunked", body=b"five\r\nhello\r\n")),
    _refused(
        "a chunk size of 30 digits",
        "9112, 7.1: larger than any size",
        _coded("chunked", body=b"F" * 30 + b"\r\n"),
    ),
    _refused(
        "a chunk that is longer than its size", "9112, 7.1", _coded("chunked", body=b"5\r\nhello, world\r\n")
    ),
    _refused(
        "a chunk size ended by LF",
        "9112, 7.1: only the head may",
        _coded("chunked", body=b"5\nhello\r\n0\r\n\r\n"),
    ),
    _refused(
        "a trailer without a colon", "9112, 7.1.2", _coded("chunked", body=chunked(FORM, trailers="a\r\n"))
    ),
)
