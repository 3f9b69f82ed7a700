"""Header `Authorization` with the scheme `Bearer` (RFC 6750, section 2.1)."""

from domain.model.access import Credentials
from domain.model.errors import UnauthenticatedError

AUTHORIZATION_HEADER = "Authorization"


def bearer_of(credentials: Credentials) -> str | None:
    """Return the bearer's token; None without the header, or with another scheme.

    Raises:
        UnauthenticatedError: the header is given twice, or has no token.
    """
    values = credentials.all_values(AUTHORIZATION_HEADER)
    if len(values) > 1:
        raise UnauthenticatedError(f"{AUTHORIZATION_HEADER} is given {len(values)} times; send it once.")
    scheme, _, token = (values[0] if values else "").strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    if not token.strip():
        raise UnauthenticatedError(f"{AUTHORIZATION_HEADER}: Bearer has nothing behind it.")
    return token.strip()
