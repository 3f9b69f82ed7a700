"""Middleware that applies the semantics of HTTP (RFC 9110) before a request is routed."""

from collections.abc import Callable
from http import HTTPMethod
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from entrypoints.api.problems import ExpectationFailedError, UnknownMethodError, problem_of

SERVER_WIDE = "*"
"""Target of an OPTIONS request that asks about the server (RFC 9110, section 7.1)."""
ALLOWED_METHODS = "DELETE, GET, HEAD, OPTIONS, POST"
_KNOWN_METHODS = {*HTTPMethod} - {HTTPMethod.CONNECT}


class HttpSemanticsMiddleware:
    """Answers HEAD like GET, and a path like its other spellings: encoded, with a slash, with a prefix.

    Args:
        prefix: path under which a proxy publishes the service, such as `/speech`; the proxy may remove it.
        is_route: tells whether a path has a route.
    """

    def __init__(self, app: ASGIApp, *, prefix: str, is_route: Callable[[str], bool]) -> None:
        self._app = app
        self._prefix = prefix
        self._is_route = is_route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request that no route can answer; pass on all others with the path of their route."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        routed = self._routed(scope)
        try:
            await (_answer(scope) or self._app)(routed, receive, send)
        finally:
            scope["route"] = routed.get("route")  # for the middleware around this one

    def _routed(self, scope: Scope) -> Scope:
        path = self._without_prefix(_path(scope))
        is_head = scope["method"] == "HEAD"
        scope.setdefault("state", {})["is_head"] = (
            is_head  # an endless body must not be written to be dropped
        )
        method = "GET" if is_head else scope["method"]  # the server drops the body
        return {**scope, "method": method, "root_path": self._prefix, "path": self._prefix + path}

    def _without_prefix(self, path: str) -> str:
        inner = path.removeprefix(self._prefix)
        is_prefixed = inner != path and inner.startswith("/")
        return inner if is_prefixed and not self._is_route(path) else path


def _path(scope: Scope) -> str:
    """Decode the path, except an encoded slash, which separates nothing (RFC 3986, section 2.2)."""
    raw: str = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    path = unquote(raw.replace("%2F", "%252F").replace("%2f", "%252F"))
    return path.removesuffix("/") or "/"


def _answer(scope: Scope) -> Response | None:
    method = scope["method"]
    if method not in _KNOWN_METHODS:
        return problem_of(UnknownMethodError(f"No resource of this server has the method {method[:40]}."))
    if _expectations(scope) - {"", "100-continue"}:
        return problem_of(ExpectationFailedError("The only expectation that can be met is 100-continue."))
    if scope["path"] == SERVER_WIDE:
        return Response(status_code=204, headers={"Allow": ALLOWED_METHODS})
    return None


def _expectations(scope: Scope) -> set[str]:
    values = Headers(scope=scope).getlist("expect")
    return {each.strip().lower() for value in values for each in value.split(",")}
