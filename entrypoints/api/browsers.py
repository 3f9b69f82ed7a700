"""Facts that browsers send by themselves: the cookie of a session, and the site of the page that asks."""

from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

from fastapi import Request

from bootstrap.choices import Authentication
from domain.model.access import Credentials
from domain.model.api_keys import KEY_HEADER
from domain.model.errors import AccessDeniedError
from domain.model.identity import ACCOUNT_HEADER, TENANT_HEADER, USER_HEADER, uuid4_or_none

COOKIE = "__Host-console"
"""Cookie of a session; by the prefix of its name, a browser sends it to this host alone, over TLS or to its
own machine."""
SAFE_METHODS = frozenset({"GET", "HEAD"})
OWN_SITES = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site` of a page of this service, and of a caller's own address bar."""
WITH_KEYS = frozenset({Authentication.KEY, Authentication.TOKEN_OR_KEY})
"""Values of AUTH where a key is traded for a session."""

_AUTHORIZATION = "Authorization"
_OWN_CREDENTIALS = (_AUTHORIZATION, KEY_HEADER, TENANT_HEADER, USER_HEADER, ACCOUNT_HEADER)


def with_session(request: Request, credentials: Credentials, authentication: Authentication) -> Credentials:
    """Add the credentials that the cookie of a session stands for, unless the request has its own.

    Raises:
        AccessDeniedError: a page of another site lets the browser send the cookie with an unsafe method.
    """
    value = request.cookies.get(COOKIE)
    if not value or any(credentials.all_values(name) for name in _OWN_CREDENTIALS):
        return credentials
    meant = _headers_of(value, authentication)
    if not meant:
        return credentials
    refuse_other_sites(request)
    named = {name.lower(): [text] for name, text in meant.items()}
    return credentials._replace(headers={**credentials.headers, **named})


def cookie_of(tenant_id: UUID, user_id: str) -> str:
    """Return the value of the cookie of a caller without proof (`AUTH=open`)."""
    return f"{tenant_id}.{quote(user_id, safe='')}"


def refuse_other_sites(request: Request) -> None:
    """Refuse an action that a page of another site asks for in the name of a browser's user.

    Browsers send `Sec-Fetch-Site`, older ones `Origin`; other clients send neither, and no cookie.

    Raises:
        AccessDeniedError: another site sent the request.
    """
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_own = (
        site in OWN_SITES if site else not origin or urlsplit(origin).netloc == request.headers.get("host")
    )
    if not is_own:
        raise AccessDeniedError(
            "The request comes from a page of another site. Send it from a page of this service."
        )


def _headers_of(cookie: str, authentication: Authentication) -> Mapping[str, str]:
    """Return the headers for which a cookie stands; none where callers prove themselves in another way."""
    if authentication in WITH_KEYS:
        return {_AUTHORIZATION: f"Bearer {cookie}"}
    if authentication is Authentication.OPEN:
        tenant_id, _, user_id = cookie.partition(".")
        return {TENANT_HEADER: tenant_id, USER_HEADER: unquote(user_id)} if uuid4_or_none(tenant_id) else {}
    return {}
