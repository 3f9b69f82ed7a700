"""Request lines: methods, targets and versions (RFC 9110, sections 7 and 9; RFC 9112, sections 2 and 3)."""

from tests.support.wire.case import SOUND, After, Case, form, get, head, post

LONG = "/health/live?" + "x" * 8000
TLS = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS\r\n\r\n"


def _refused(request: str, why: str, sent: bytes) -> Case:
    return Case(request, why, (sent,), 400, "invalid-request", After.CLOSED)


TARGETS = (
    Case("`GET /health/live`", "9112, 3.2.1: origin form", (get(),)),
    Case("`GET /health/live?a=b`", "9112, 3.2.1: no resource here has a query", (get("/health/live?a=b"),)),
    Case(
        "`GET http://example.org/health/live`",
        "9112, 3.2.2: absolute form must be accepted; its host counts, `Host` does not",
        (get("http://example.org/health/live"),),
    ),
    Case("`GET HTTPS://…/health/live`", "9110, 4.2.3: schemes have no case", (get("HTTPS://a/health/live"),)),
    Case(
        "`GET http://example.org?a=b`",
        "9110, 4.2.3: an empty path is `/`",
        (get("http://example.org?a=b"),),
        404,
        "not-found",
    ),
    _refused("`GET http://user@host/…`", "9110, 4.2.4: user information", get("http://me@host/health/live")),
    _refused("`GET http:///health/live`", "9110, 4.2.1: no host", get("http:///health/live")),
    _refused("`GET ftp://…`", "9110, 4.2: a scheme that is not served", get("ftp://host/health/live")),
    Case(
        "`OPTIONS *`",
        "9112, 3.2.4: asterisk form; `Allow` lists all methods",
        (head("OPTIONS * HTTP/1.1"),),
        204,
    ),
    Case(
        "`OPTIONS http://host`",
        "9112, 3.2.4: the same through a proxy",
        (head("OPTIONS http://h HTTP/1.1"),),
        204,
    ),
    _refused("`GET *`", "9112, 3.2.4: only for OPTIONS", get("*")),
    Case(
        "`CONNECT host:443`",
        "9110, 9.3.6: this is no proxy",
        (head("CONNECT host:443 HTTP/1.1"),),
        501,
        "unknown-method",
    ),
    _refused("`GET host:80`", "9112, 3.2.3: authority form is only for CONNECT", get("host:80")),
    _refused("`GET health/live`", "9112, 3.2: none of the four forms", get("health/live")),
    _refused("`GET /health live`", "9112, 3.2: a space in the target", get("/health live")),
    _refused("`GET /health/é`, as raw bytes", "3986, 2.1: to be percent-encoded", get("/health/\xe9")),
    _refused("`GET /health/live#a`", "9112, 3.2: a target has no fragment", get("/health/live#a")),
    _refused("`GET /health/%zz`", "3986, 2.1: no percent-encoding", get("/health/%zz")),
    Case("`GET /health/%6Cive`", "3986, 6.2.2.2: the same letter", (get("/health/%6Cive"),)),
    Case(
        "`GET /health%2Flive`",
        "3986, 2.2: an encoded slash separates nothing",
        (get("/health%2Flive"),),
        404,
        "not-found",
    ),
    Case(
        "`GET /docs/../health/live`",
        "3986, 5.2.4: dot segments are the client's to remove; here they would pass a gateway's rules",
        (get("/docs/../health/live"),),
        404,
        "not-found",
    ),
    Case(
        "`GET //health/live`",
        "3986, 3.3: an empty segment is a segment",
        (get("//health/live"),),
        404,
        "not-found",
    ),
    Case("`GET /health/live/`", "ours: a slash at the end makes no difference", (get("/health/live/"),)),
    Case(
        "`POST /batch/process/`",
        "ours: the same; a redirect would lose the upload",
        (post(form()).replace(b"/process ", b"/process/ "),),
        heard=SOUND,
    ),
    Case("target of 8,000 bytes", "9110, 4.1: the least that is to be supported", (get(LONG),)),
    Case(
        "target of 70,000 bytes",
        "9110, 15.5.15; 64 KiB are the limit",
        (get("/" + "x" * 70_000),),
        414,
        "request-target-too-long",
        After.CLOSED,
    ),
    Case(
        "`HEAD /health/live`", "9110, 9.3.2: like GET, without content", (head("HEAD /health/live HTTP/1.1"),)
    ),
    Case(
        "`HEAD /batch/process`",
        "9110, 15.5.6: there is no GET",
        (head("HEAD /batch/process HTTP/1.1"),),
        405,
        "method-not-allowed",
    ),
    Case(
        "`PUT /batch/process`",
        "9110, 9.1: a known method; `Allow` lists the others",
        (head("PUT /batch/process HTTP/1.1"),),
        405,
        "method-not-allowed",
    ),
    Case(
        "`OPTIONS /health/live`",
        "9110, 9.1: only GET and HEAD are mandatory",
        (head("OPTIONS /health/live HTTP/1.1"),),
        405,
        "method-not-allowed",
    ),
    Case(
        "`BREW /health/live`",
        "9110, 9.1: an unknown method",
        (head("BREW /health/live HTTP/1.1"),),
        501,
        "unknown-method",
    ),
    Case(
        "`get /health/live`",
        "9110, 9.1: methods have a case",
        (head("get /health/live HTTP/1.1"),),
        501,
        "unknown-method",
    ),
    Case(
        "`HTTP/1.0`, without `Host`",
        "9110, 7.2: `Host` came with HTTP/1.1",
        (head("GET /health/live HTTP/1.0", host=None),),
        after=After.CLOSED,
    ),
    Case(
        "`HTTP/1.2`",
        "9110, 2.5: the highest minor version that is known",
        (head("GET /health/live HTTP/1.2"),),
    ),
    Case(
        "`PRI * HTTP/2.0`",
        "9110, 15.6.6: HTTP/2 is spoken by a proxy in front",
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",),
        505,
        "unsupported-http-version",
        After.CLOSED,
    ),
    _refused("`http/1.1`", "9112, 2.3: the name has a case", head("GET /health/live http/1.1")),
    _refused("`GET /health/live`, without a version", "9112, 3: HTTP/0.9", b"GET /health/live\r\n\r\n"),
    _refused("TLS", "9112, 3: no request line", TLS),
    Case("empty lines before the request", "9112, 2.2: to be ignored", (b"\r\n\r\n" + get(),)),
    Case("LF instead of CRLF", "9112, 2.2: may be accepted in the head", (get().replace(b"\r\n", b"\n"),)),
    Case("two requests at once", "9112, 9.3.2: answered in their order", (get() + get(),)),
)
