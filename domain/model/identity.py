"""Identity of a request: tenant, user and account (requirement 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID, uuid4

from domain.model.errors import InvalidIdentityError
from domain.model.result_warnings import ResultWarning, WarningCode

TENANT_HEADER = "X-Tenant-ID"
USER_HEADER = "X-User-ID"
ACCOUNT_HEADER = "X-Account-ID"

DEFAULT_USER_ID = "system"
MAX_IDENTITY_LENGTH = 256
"""Maximum characters of an identity value, which is untrusted and ends up in events, logs and keys."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The owner of a transcript."""

    tenant_id: UUID  # always a UUID v4
    user_id: str  # never empty
    account_id: str | None  # None where the request names none
    # None, or what tenant_id was generated for: the invalid text, "" where no tenant was named
    replaced_tenant: str | None = None
    # invalid values and their replacement
    warnings: tuple[ResultWarning, ...] = field(default=(), compare=False)


class Interaction(NamedTuple):
    """One processed recording, and its owner."""

    id: UUID
    tenant_id: UUID
    user_id: str | None = None  # None where no store has kept it
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class IdentityDefaults:
    """Defaults for missing headers: `MOCK_TENANT_ID` and `MOCK_USER_ID`; and whether `IDENTITY` is strict."""

    tenant_id: str | None = None
    user_id: str | None = None
    is_strict: bool = False


def resolve_identity(
    headers: Mapping[str, str],
    defaults: IdentityDefaults,
    *,
    new_uuid: Callable[[], UUID] = uuid4,
) -> Identity:
    """Resolve tenant, user and account: header, else environment, else generated, `"system"` and None.

    A blank header counts as absent. A tenant that is no UUID v4 is replaced by a fresh one with a warning
    (requirements 2.9 and 2.10). Strict defaults allow no generated tenant.

    Raises:
        InvalidIdentityError: user or account is longer than `MAX_IDENTITY_LENGTH` or not printable; or the
            tenant is missing or no UUID v4 although the defaults are strict.
    """
    candidate = _present(headers, TENANT_HEADER) or defaults.tenant_id or ""
    tenant_id = uuid4_or_none(candidate)
    if tenant_id is None and defaults.is_strict:
        raise InvalidIdentityError(_required(candidate))
    return Identity(
        tenant_id=tenant_id or new_uuid(),
        user_id=_printable(USER_HEADER, headers) or defaults.user_id or DEFAULT_USER_ID,
        account_id=_printable(ACCOUNT_HEADER, headers),
        replaced_tenant=candidate if tenant_id is None else None,
        warnings=() if tenant_id or not candidate else (_no_uuid4(candidate),),
    )


def uuid4_or_none(text: str) -> UUID | None:
    """Parse a UUID v4 in its usual form; None where it is none."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if value.version == 4 and str(value) == text.lower() else None  # noqa: PLR2004 - UUID v4


def is_printable(text: str) -> bool:
    """Return True for text that is short enough and free of control and bidirectional characters."""
    return len(text) <= MAX_IDENTITY_LENGTH and text.isprintable()


def _present(headers: Mapping[str, str], name: str) -> str | None:
    return headers.get(name, "").strip() or None


def _printable(name: str, headers: Mapping[str, str]) -> str | None:
    value = _present(headers, name)
    if value is not None and not is_printable(value):
        raise InvalidIdentityError(
            f"{name} must be at most {MAX_IDENTITY_LENGTH} printable characters; it has {len(value)}."
        )
    return value


def _required(candidate: str) -> str:
    if not candidate:
        return f"{TENANT_HEADER} is missing; send the tenant's UUID v4."
    return f"{TENANT_HEADER} must be a UUID v4; {candidate[:64]!r} is not."


def _no_uuid4(candidate: str) -> ResultWarning:
    detail = f"tenant id {candidate[:64]!r} is not a UUID v4; a new one was generated"
    return ResultWarning(code=WarningCode.TENANT_REPLACED, detail=detail)
