"""Callers of routes: each route names the scope that it needs, and is called by no other caller.

The decision falls before the body is read: no route declares a body, and each reads its own.
"""

from collections import defaultdict
from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from domain.model.access import Caller, Credentials
from domain.model.errors import InsufficientScopeError
from entrypoints.api.browsers import with_session

SCHEME = "bearer"
"""Name of the security scheme in OpenAPI."""


class IdentifiedCaller(SecurityBase):
    """Dependency that finds the caller, and checks that it has the scopes of the route."""

    def __init__(self) -> None:
        self.model = HTTPBearer(description="A key of the service, or a token of the issuer; see AUTH.")
        self.scheme_name = SCHEME

    async def __call__(self, request: Request, needed: SecurityScopes) -> Caller:
        """Identify the caller.

        Raises:
            UnauthenticatedError, AccessDeniedError, InvalidIdentityError, AuthenticatorUnavailableError:
                see `AuthenticatorPort.identify`.
            InsufficientScopeError: the caller lacks a scope.
        """
        if not needed.scopes:
            raise RuntimeError(f"{request.url.path} has a caller and names no scope")
        caller = await identified(request)
        request.state.scopes = caller.scopes
        for scope in needed.scopes:
            if scope not in caller.scopes:
                raise InsufficientScopeError(f"The credentials lack the scope {str(scope)!r}.", scope=scope)
        return caller


async def identified(request: Request) -> Caller:
    """Identify the caller by the credentials of the request, or by the cookie of a session.

    Raises:
        UnauthenticatedError, AccessDeniedError, InvalidIdentityError, AuthenticatorUnavailableError:
            see `AuthenticatorPort.identify`.
    """
    container = request.app.state.container
    credentials = with_session(request, credentials_of(request), container.settings().auth)
    caller: Caller = await container.authenticator().identify(credentials)
    return caller


def credentials_of(request: Request) -> Credentials:
    """Collect the headers, and the address of the connection's other end."""
    headers: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in request.headers.raw:
        headers[name.decode("latin-1")].append(_text(value))
    return Credentials(headers, request.client.host if request.client else None)


def _text(value: bytes) -> str:
    """Decode a header as UTF-8, which callers send today, or as Latin-1, which never fails."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


CallerDependency = Annotated[Caller, Depends(IdentifiedCaller())]
