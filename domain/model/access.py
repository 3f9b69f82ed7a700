"""Access: the credentials of a request, and the caller that they prove."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.model.errors import AccessDeniedError, InvalidIdentityError, UnknownTenantError
from domain.model.identity import (
    ACCOUNT_HEADER,
    TENANT_HEADER,
    USER_HEADER,
    Identity,
    IdentityDefaults,
    resolve_identity,
)

_IDENTITY_HEADERS = (TENANT_HEADER, USER_HEADER, ACCOUNT_HEADER)


class Scope(StrEnum):
    """Kind of action that a caller may take."""

    WRITE = "write"  # submit recordings, cancel, retry and erase
    READ = "read"  # look at jobs and transcripts
    OPERATE = "operate"  # look after the service: outbox, dead letters, route


ALL_SCOPES = frozenset(Scope)


class Credentials(NamedTuple):
    """Statements of a request about its caller."""

    headers: Mapping[str, Sequence[str]]  # name in small letters → all values, as sent
    peer: str | None = None  # IP address of the other end of the connection; None for a Unix socket

    def all_values(self, name: str) -> Sequence[str]:
        """Return all values of a header, whose name may have capital letters."""
        return self.headers.get(name.lower(), ())

    def identity_headers(self) -> dict[str, str]:
        """Return the headers that name tenant, user and account, as far as they are there.

        Raises:
            InvalidIdentityError: one is given twice.
        """
        given = ((name, self.all_values(name)) for name in _IDENTITY_HEADERS)
        return {name: _only(name, values) for name, values in given if values}


class Caller(NamedTuple):
    """Sender of a request, with the scopes that it has."""

    identity: Identity
    scopes: frozenset[Scope] = ALL_SCOPES


def stated_identity(credentials: Credentials) -> Identity:
    """Return the identity that the headers name, of a request whose headers are proof.

    Raises:
        InvalidIdentityError: a header is given twice, too long or unprintable.
        UnknownTenantError: the tenant is missing, or no UUID v4.
    """
    identity = resolve_identity(credentials.identity_headers(), IdentityDefaults())
    if identity.replaced_tenant is None:
        return identity
    named = f"{identity.replaced_tenant[:64]!r} is not one" if identity.replaced_tenant else "it is missing"
    raise UnknownTenantError(f"{TENANT_HEADER} must be a UUID v4: {named}.")


def proven_identity(credentials: Credentials, *, tenant_id: UUID, user_id: str) -> Identity:
    """Return the identity that the credentials prove; headers may repeat it, and name the account.

    Raises:
        InvalidIdentityError: a header is given twice, too long or unprintable.
        AccessDeniedError: a header names another tenant or user.
    """
    defaults = IdentityDefaults(str(tenant_id), user_id)
    identity = resolve_identity(credentials.identity_headers(), defaults)
    if identity.tenant_id != tenant_id:
        raise AccessDeniedError(f"{TENANT_HEADER} names another tenant than the credentials; leave it out.")
    if identity.user_id != user_id:
        raise AccessDeniedError(f"{USER_HEADER} names another user than the credentials; leave it out.")
    return identity


def _only(name: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        raise InvalidIdentityError(f"{name} is given {len(values)} times; send it once.")
    return values[0]
