"""Claims of a verified token: the tenant, the user and the scopes that they stand for."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from domain.model.access import Scope
from domain.model.errors import AccessDeniedError, UnknownTenantError
from domain.model.identity import MAX_IDENTITY_LENGTH, is_printable, uuid4_or_none

Claims = Mapping[str, object]

_SCOPE = re.compile(rf"(?:batch[:/])?({'|'.join(Scope)})")
_STANDARD_SCOPE_CLAIMS = ("scope", "scp")
"""Claims of RFC 9068, and of Microsoft and Okta."""


class ClaimNames(NamedTuple):
    """Names of the claims that say who the caller is, and what it may do."""

    tenant: str = "tenant_id"
    user: str = "sub"
    scope: str | None = None  # None: `scope`, or `scp` where there is no `scope`


def tenant_of(claims: Claims, name: str) -> UUID:
    """Read the tenant.

    Raises:
        UnknownTenantError: the claim is missing, or no UUID v4.
    """
    value = claims.get(name)
    tenant = uuid4_or_none(value) if isinstance(value, str) else None
    if tenant is None:
        fault = "is missing" if value is None else "is no UUID v4"
        raise UnknownTenantError(f"The token's claim {name} must name the tenant, and {fault}.")
    return tenant


def user_of(claims: Claims, name: str) -> str:
    """Read the user.

    Raises:
        AccessDeniedError: the claim is missing, or no short, printable text.
    """
    value = claims.get(name)
    if not isinstance(value, str) or not value or value != value.strip() or not is_printable(value):
        raise AccessDeniedError(
            f"The token's claim {name} must name the user in 1 to {MAX_IDENTITY_LENGTH} printable characters."
        )
    return value


def scopes_of(claims: Claims, name: str | None) -> frozenset[Scope]:
    """Read the scopes: `write`, `read` and `operate`, alone or behind `batch:` or `batch/`.

    The claim is a text with blanks between the scopes, or a list; scopes of other services are ignored.
    """
    names = _STANDARD_SCOPE_CLAIMS if name is None else (name,)
    value = next((claims[each] for each in names if each in claims), None)
    texts = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    found = (_SCOPE.fullmatch(text) for text in texts if isinstance(text, str))
    return frozenset(Scope(match[1]) for match in found if match)
