"""Forms: types, boundaries, parts and their parameters (RFC 2046, 5.1; RFC 7578; RFC 9110, 5.6.6)."""

from tests.support.wire.case import BOUNDARY, DISPOSITION, SOUND, Case, form, post

LOOK_ALIKES = b"--xyzz\r\n--xy\r\n--xyz-\r\n--xyz--a\r\n--xyz \ta\r\n--\r\n\r\n--xyz\ra"
FIELD = b'--xyz\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
SPECIAL = "a b'()+_,-./:=?c"


def _accepted(
    request: str, why: str, body: bytes, content_type: str = f"multipart/form-data; boundary={BOUNDARY}"
) -> Case:
    return Case(request, why, (post(body, content_type=content_type),), heard=SOUND)


def _refused(
    request: str,
    why: str,
    body: bytes,
    content_type: str | None = f"multipart/form-data; boundary={BOUNDARY}",
    status: int = 400,
    problem: str = "malformed-upload",
) -> Case:
    return Case(request, why, (post(body, content_type=content_type),), status, problem)


def _part(*headers: str) -> bytes:
    return form(SOUND, *headers)


FORMS = (
    _accepted(
        "`Multipart/Form-Data; Boundary=xyz`",
        "9110, 8.3.1: no case",
        form(),
        "Multipart/Form-Data; Boundary=xyz",
    ),
    _accepted(
        "other parameters, and spaces around `;`",
        "9110, 5.6.6",
        form(),
        "multipart/form-data ;charset=utf-8 ; boundary=xyz;",
    ),
    _accepted('`boundary="xyz"`', "9110, 5.6.4: quoted", form(), 'multipart/form-data; boundary="xyz"'),
    _accepted(
        "a quoted boundary with spaces and marks",
        "2046, 5.1.1: bchars",
        form(boundary=SPECIAL),
        f'multipart/form-data; boundary="{SPECIAL}"',
    ),
    _accepted(
        "the same marks unquoted",
        "ours: senders forget the quotes",
        form(boundary="=_a/b:c?"),
        "multipart/form-data; boundary==_a/b:c?",
    ),
    _accepted(
        "a boundary of 70 characters",
        "2046, 5.1.1: the longest",
        form(boundary="b" * 70),
        f"multipart/form-data; boundary={'b' * 70}",
    ),
    _refused(
        "a boundary of 71 characters",
        "2046, 5.1.1",
        form(boundary="b" * 71),
        f"multipart/form-data; boundary={'b' * 71}",
    ),
    _refused("no boundary", "2046, 5.1.1", form(), "multipart/form-data"),
    _refused(
        "`boundary` twice",
        "2046, 5.1.1: one of them",
        form(),
        "multipart/form-data; boundary=xyz; boundary=a",
    ),
    _refused(
        '`boundary="xyz`', "9110, 5.6.4: no end of the quotes", form(), 'multipart/form-data; boundary="xyz'
    ),
    _refused(
        "`multipart/mixed`", "7578, 4", form(), "multipart/mixed; boundary=xyz", 415, "unsupported-media-type"
    ),
    _refused("`audio/wav`", "ours: a form only", b"RIFF", "audio/wav", 415, "unsupported-media-type"),
    _refused(
        "no `Content-Type`", "9110, 8.3: it is not guessed", form(), None, 415, "unsupported-media-type"
    ),
    _accepted("a preamble", "2046, 5.1.1: ignored", b"This is a form.\r\n--xy\r\n" + form()),
    _accepted("an epilogue", "2046, 5.1.1: ignored", form() + b"--xyz\r\nwhat follows"),
    _accepted("no CRLF behind the last delimiter", "2046, 5.1.1: needs an epilogue only", form(end="")),
    _accepted("white space behind delimiters", "2046, 5.1.1: transport padding", form(padding=" \t")),
    Case(
        "content with lines that begin like a delimiter",
        "2046, 5.1.1: a delimiter is a whole line",
        (post(form(LOOK_ALIKES)),),
        heard=LOOK_ALIKES,
    ),
    _refused("no last delimiter", "2046, 5.1.1: the body was cut off", form()[:-11]),
    _refused("LF instead of CRLF", "2046, 4.1.1: lines end with CRLF", form().replace(b"\r\n", b"\n")),
    _refused("a form without parts", "ours", b"--xyz--\r\n", problem="missing-recording"),
    _refused("a recording without bytes", "ours", form(b""), problem="empty-recording"),
    _accepted(
        "other fields before and after",
        "ours: ignored, with a warning",
        FIELD + form()[:-9] + FIELD + b"--xyz--",
    ),
    _refused("`file` twice", "7578, 4.3: one answer for one recording", form()[:-9] + form()),
    _accepted(
        "a part without headers", "2046, 5.1: allowed; not a field", b"--xyz\r\n\r\nhello\r\n" + form()
    ),
    _accepted("`name=file`", "9110, 5.6.6: a token", _part("Content-Disposition: form-data; name=file")),
    _accepted(
        '`NAME="file"`, `content-disposition`',
        "9110, 5.6.6: no case",
        _part('content-disposition: form-data; NAME="file"'),
    ),
    _accepted(
        r'`filename="a\"b;c.wav"`',
        "9110, 5.6.4: escaped, and in quotes",
        _part(r'Content-Disposition: form-data; filename="a\"b;c.wav"; name="file"'),
    ),
    _accepted(
        r'`filename="a\\"`',
        "9110, 5.6.4: an escaped backslash",
        _part(r'Content-Disposition: form-data; filename="a\\"; name="file"'),
    ),
    _accepted(
        r'`filename="a\"`',
        "7578, 4.2: browsers escape no backslash",
        _part('Content-Disposition: form-data; filename="a\\"; name="file"'),
    ),
    _accepted(
        "`filename*=UTF-8''…`",
        "7578, 4.2: not to be sent; ignored",
        _part("Content-Disposition: form-data; name=file; filename*=UTF-8''a%20b.wav"),
    ),
    _accepted(
        "a folded `Content-Disposition`",
        "5322, 2.2.3: to be joined",
        _part("Content-Disposition: form-data;", '\tname="file"'),
    ),
    _accepted("other headers of a part", "7578, 4.8: ignored", _part("X-Foo: 1", DISPOSITION, "X-Foo: 2")),
    _refused("`Content-Disposition` twice", "7578, 4.2: one of them", _part(DISPOSITION, DISPOSITION)),
    _refused(
        "`name` twice", "9110, 5.6.6: one of them", _part("Content-Disposition: form-data; name=a; name=file")
    ),
    _refused("a line of a part that is no header", "2046, 5.1", _part("Content-Disposition")),
    _refused(
        "headers of a part of 20,000 bytes",
        "ours: 16 KiB are the limit",
        _part("X-Foo: " + "x" * 20_000, DISPOSITION),
    ),
    _accepted(
        "`Content-Transfer-Encoding: binary`",
        "7578, 4.7: no longer needed",
        _part(DISPOSITION, "Content-Transfer-Encoding: Binary"),
    ),
    _refused(
        "`Content-Transfer-Encoding: base64`",
        "7578, 4.7: no longer sent",
        _part(DISPOSITION, "Content-Transfer-Encoding: base64"),
        status=415,
        problem="unsupported-media-type",
    ),
)
