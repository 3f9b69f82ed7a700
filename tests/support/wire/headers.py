"""Headers, interim answers, and the end of connections (RFC 9110, 5 to 10; RFC 9112, 5 and 9)."""

from tests.support.wire.case import FORM_TYPE, SOUND, After, Case, form, get, head, post, upload_head

FORM = form()
DECLARED = f"Content-Length: {len(FORM)}"


def _refused(request: str, why: str, sent: bytes) -> Case:
    return Case(request, why, (sent,), 400, "invalid-request", After.CLOSED)


HEADERS = (
    _refused("no `Host`", "9112, 3.2", get(host=None)),
    _refused("`Host` twice", "9112, 3.2", get("/health/live", "Host: test")),
    _refused("`Host: a/b`", "9112, 3.2: not the name of a host", get(host="a/b")),
    Case("`Host:` with an IPv6 address and a port", "3986, 3.2.2", (get(host="[::1]:8000"),)),
    Case("`Host:` without a value", "9110, 7.2: sent where the target has no authority", (get(host=""),)),
    Case("`hOST: test`", "9110, 5.1: names have no case", (get("/health/live", "hOST: test", host=None),)),
    Case(
        "white space around a value",
        "9112, 5.1: is no part of it",
        (get("/health/live", "Accept: \t */* \t"),),
    ),
    _refused(
        "`Host : test`", "9112, 5.1: a space before the colon", get("/health/live", "Host : test", host=None)
    ),
    _refused("a line without a colon", "9112, 5", get("/health/live", "Accept")),
    _refused(
        "white space before the first header", "9112, 2.2", get("/health/live", " Host: test", host=None)
    ),
    _refused("CR or NUL in a value", "9110, 5.5", get("/health/live", "Accept: a\rb")),
    Case(
        "a folded header",
        "9112, 5.2: may be joined with a space",
        (post(FORM, "X-User-ID: alice\r\n liddell"),),
        heard=SOUND,
    ),
    Case(
        "UTF-8 in `X-User-ID`",
        "9110, 5.5: opaque bytes",
        (post(FORM, "X-User-ID: J\xc3\xbcrgen"),),
        heard=SOUND,
    ),
    Case(
        "`X-User-ID` twice",
        "9110, 5.3: a single value",
        (post(FORM, "X-User-ID: alice", "X-User-ID: bob"),),
        400,
        "invalid-identity",
    ),
    Case(
        "`Content-Type` twice",
        "9110, 5.3: a single value",
        (post(FORM, f"Content-Type: {FORM_TYPE}"),),
        400,
        "malformed-upload",
    ),
    Case(
        "headers of 70,000 bytes",
        "6585, 5; 64 KiB are the limit",
        (get("/health/live", "Cookie: " + "x" * 70_000),),
        431,
        "headers-too-large",
        After.CLOSED,
    ),
    Case(
        "`Content-Encoding: gzip`",
        "9110, 8.4: could fill the disk; `Accept-Encoding` says so",
        (post(FORM, "Content-Encoding: gzip"),),
        415,
        "unsupported-content-coding",
    ),
    Case(
        "`Content-Encoding: identity`",
        "9110, 8.4.1: no coding",
        (post(FORM, "Content-Encoding: identity"),),
        heard=SOUND,
    ),
    Case(
        "`Accept: text/plain` of `GET /health/live`",
        "9110, 12.4.1: may be disregarded",
        (get("/health/live", "Accept: text/plain"),),
    ),
    Case(
        "`Accept: text/vtt`",
        "9110, 12.5.1: subtitles; `Vary` says so",
        (post(FORM, "Accept: text/vtt"),),
        heard=SOUND,
    ),
    Case(
        "`Accept: text/html, */*;q=0.8`",
        "9110, 12.5.1: JSON, as without `Accept`",
        (post(FORM, "Accept: text/html, */*;q=0.8"),),
        heard=SOUND,
    ),
    Case(
        "`Accept: text/html`",
        "9110, 15.5.7: a form that the answer does not have; before the transcription",
        (post(FORM, "Accept: text/html"),),
        406,
        "not-acceptable",
    ),
    Case(
        "`Accept: vtt`",
        "ours: what is no media type is ignored",
        (post(FORM, "Accept: vtt"),),
        heard=SOUND,
    ),
    Case("`Range: bytes=0-1`", "9110, 14.2: may be ignored", (get("/health/live", "Range: bytes=0-1"),)),
    Case(
        "`Upgrade: h2c`",
        "9110, 7.8: may be ignored",
        (post(FORM, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAM"),),
        heard=SOUND,
    ),
    Case(
        "`Expect: 100-continue`",
        "9110, 10.1.1: answered 100, then the upload",
        (upload_head("Expect: 100-Continue", DECLARED), FORM),
        heard=SOUND,
    ),
    Case(
        "`Expect: 100-continue`, and an upload that is refused",
        "9110, 10.1.1: no 100; what follows could be a body or a request",
        (upload_head("Expect: 100-continue", DECLARED, content_type="audio/wav"),),
        415,
        "unsupported-media-type",
        After.CLOSED,
    ),
    Case(
        "`Expect: 100-continue` in HTTP/1.0",
        "9110, 10.1.1: to be ignored",
        (post(FORM, "Expect: 100-continue", version="1.0"),),
        after=After.CLOSED,
        heard=SOUND,
    ),
    Case(
        "`Expect: 200-ok`",
        "9110, 10.1.1: another expectation",
        (post(FORM, "Expect: 200-ok"),),
        417,
        "expectation-failed",
    ),
    Case("`Connection: Close`", "9112, 9.6", (get("/health/live", "Connection: Close"),), after=After.CLOSED),
    Case(
        "`Connection: keep-alive` in HTTP/1.0",
        "9112, 9.3: need not be honoured",
        (head("GET /health/live HTTP/1.0", "Connection: keep-alive"),),
        after=After.CLOSED,
    ),
    Case(
        "the caller shuts its side after the request",
        "9112, 9.6: it may still read; a 100 before the answer tells it from one that left",
        (post(FORM),),
        after=After.CLOSED,
        heard=SOUND,
        ends=True,
    ),
    Case(
        "the same after two requests at once",
        "9112, 9.3.2",
        (get() + get(),),
        ends=True,
    ),
    Case(
        "the same in HTTP/1.0",
        "9110, 15.2: gets no 100; has 5 s for a quick answer, then it is taken to have left",
        (head("GET /health/live HTTP/1.0"),),
        after=After.CLOSED,
        ends=True,
    ),
    Case(
        "the caller shuts its side inside the head",
        "9112, 8: an incomplete request",
        (b"GET /health/live HTTP/1.1\r\nHos",),
        400,
        "invalid-request",
        After.CLOSED,
        ends=True,
    ),
    Case(
        "the same inside a body with a length",
        "9112, 8",
        (post(FORM)[:-9],),
        400,
        "invalid-request",
        After.CLOSED,
        ends=True,
    ),
    Case(
        "the same inside a chunked body",
        "9112, 8: no last chunk",
        (upload_head("Transfer-Encoding: chunked") + b"5\r\n--xyz\r\n",),
        400,
        "invalid-request",
        After.CLOSED,
        ends=True,
    ),
)
