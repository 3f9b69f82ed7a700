"""Header `Prefer` (RFC 7240): callers who want a job instead of an answer, at once or after some seconds."""

import re
from typing import NamedTuple

from starlette.requests import Request

PREFER_HEADER, APPLIED_HEADER = "Prefer", "Preference-Applied"
MAX_WAIT_SECONDS = 300
"""Longest wait that is honoured: proxies close connections on which nothing moves."""

_RESPOND_ASYNC, _WAIT = "respond-async", "wait"
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_PREFERENCE = re.compile(
    # possessive, so that no header makes it try again; behind ; are parameters, of which these have none
    r"""[ \t]*+(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]++)
    (?:[ \t]*+=[ \t]*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>[^";\s]*+)))?+
    [ \t]*+(?:;.*)?""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SECONDS = re.compile(r"[0-9]{1,9}")


class Preferences(NamedTuple):
    """Known preferences of a request."""

    is_async: bool = False
    wait_seconds: int | None = None

    @property
    def asks_for_job(self) -> bool:
        """True where the caller takes a job for an answer."""
        return self.is_async or self.wait_seconds is not None

    def applied(self, *, is_async: bool) -> str:
        """Return the value of `Preference-Applied`; `is_async` says if the answer is a job."""
        wait = () if self.wait_seconds is None else (f"{_WAIT}={self.wait_seconds}",)
        return ", ".join((*((_RESPOND_ASYNC,) if self.is_async and is_async else ()), *wait))


def read_preferences(request: Request) -> Preferences:
    """Read the preferences of a request; unknown and unreadable ones are ignored, as the RFC asks."""
    given = _given(",".join(request.headers.getlist(PREFER_HEADER)))
    wait = given.get(_WAIT, "")
    seconds = min(int(wait), MAX_WAIT_SECONDS) if _SECONDS.fullmatch(wait) else None
    return Preferences(_RESPOND_ASYNC in given, seconds)


def _given(header: str) -> dict[str, str]:
    """Return the values of preferences by their names; the first of several counts (RFC 7240, section 2)."""
    given: dict[str, str] = {}
    for element in _ELEMENT.findall(header):
        if match := _PREFERENCE.fullmatch(element):
            quoted = match["quoted"]
            value = (match["plain"] or "") if quoted is None else _ESCAPED.sub(r"\1", quoted)
            given.setdefault(match["name"].lower(), value)
    return given
