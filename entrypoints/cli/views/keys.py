"""Views of API keys: lines of text, and JSON; the secret is in none of them."""

from datetime import datetime

from domain.model.api_keys import KEY_PREFIX, ApiKey
from entrypoints.cli.views.output import printable


def key_as_json(key: ApiKey) -> dict[str, object]:
    """Convert a stored key to JSON."""
    return {
        "id": key.id,
        "state": key.state.value,
        "tenant_id": str(key.grant.tenant_id),
        "user_id": key.grant.user_id,
        "scopes": sorted(key.grant.scopes),
        "label": key.grant.label,
        "created_at": key.created_at.isoformat(),
        "expires_at": _moment(key.expires_at),
        "revoked_at": _moment(key.revoked_at),
        "last_used_at": _moment(key.last_used_at),
    }


def as_line(key: ApiKey) -> str:
    """Format a stored key as one line: id, tenant, state, scopes, end, last use, user and label."""
    used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
    names = printable(f"{key.grant.user_id}  {key.grant.label}").rstrip()
    scopes = ",".join(sorted(key.grant.scopes))
    times = f"{_end(key)}  {used}"
    return f"{KEY_PREFIX}{key.id}  {key.grant.tenant_id}  {key.state:<7}  {scopes:<18}  {times}  {names}"


def _end(key: ApiKey) -> str:
    return f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "without end"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
