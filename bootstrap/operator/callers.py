"""Check of callers: how they prove who they are, and what needs no proof."""

from collections.abc import Iterator

from adapters.auth.loopback import is_loopback
from adapters.sql.api_keys import SqlApiKeys
from adapters.sql.durability import durability_report
from adapters.sql.schema.tables import SCHEMA_REVISION
from bootstrap.choices import Authentication
from bootstrap.container import Container
from bootstrap.factories.database import sqlite_file
from bootstrap.factories.tokens import token_authenticator
from bootstrap.operator.examination import Check, CheckResult
from bootstrap.operator.storage import as_it_is
from bootstrap.settings import Settings
from domain.model.api_keys import KeyState

OPEN_PATHS = "open to all: /health/live, /health/ready, /docs, /openapi.json"
"""Paths without credentials in every mode."""
MOST_KEYS = 10_000
"""Keys that are looked through for one that can be used."""


def callers(container: Container) -> Iterator[Check]:
    """Say what proves a caller, and warn where nothing does."""
    settings = container.settings()
    found, remedy = _found(settings)
    verdict = CheckResult.WARNING if remedy else CheckResult.OK
    yield Check("callers", verdict, f"AUTH={settings.auth}: {found}; {_open(settings)}", remedy)


def _open(settings: Settings) -> str:
    if settings.metrics_port is None:
        return OPEN_PATHS
    return f"{OPEN_PATHS}, and metrics on {settings.metrics_host}:{settings.metrics_port}"


def _found(settings: Settings) -> tuple[str, str]:
    match settings.auth:
        case Authentication.OPEN:
            return _of_open(settings.host)
        case Authentication.GATEWAY:
            proxies = ", ".join(map(str, settings.trusted_proxies))
            return f"headers name the caller, from {proxies} alone", ""
        case Authentication.TOKEN:
            token_authenticator(settings)  # fails where a setting is missing
            return _tokens(settings), ""
        case Authentication.TOKEN_OR_KEY:
            token_authenticator(settings)
            return f"{_tokens(settings)}, and keys of the database", ""
        case Authentication.KEY:
            return _of_keys(settings)


def _tokens(settings: Settings) -> str:
    return f"tokens of {settings.auth_issuer} for {settings.auth_audience}"


def _of_open(host: str) -> tuple[str, str]:
    if is_loopback(host):
        return f"each caller names its own tenant; HOST={host} is reached from this machine alone", ""
    remedy = "Set AUTH (docs/security.md), or HOST=127.0.0.1 behind a gateway on this machine."
    return f"each caller names its own tenant, and HOST={host} may be reached from other machines", remedy


def _of_keys(settings: Settings) -> tuple[str, str]:
    has_one = _has_usable_key(settings)
    if has_one is None:
        return "keys of the database, which the next start of the service creates or migrates", ""
    remedy = "" if has_one else "Make a key: `transcripts keys create --tenant UUID`."
    return "keys of the database" if has_one else "keys, of which none can be used", remedy


def _has_usable_key(settings: Settings) -> bool | None:
    """Look for an active key; None where the database is not ready."""
    file = sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        return None
    with as_it_is(settings) as database:
        if durability_report(database).schema != SCHEMA_REVISION:
            return None
        keys = SqlApiKeys(database).newest(None, limit=MOST_KEYS)
    return any(key.state is KeyState.ACTIVE for key in keys)
