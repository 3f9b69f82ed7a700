"""Names of environment variables, to find misspelt ones: a wrong name has no effect, and no other error."""

from collections.abc import Iterable
from difflib import get_close_matches

from bootstrap.settings import Settings
from bootstrap.settings.events import DEFAULT_REGION_VARIABLE

OURS = frozenset(name.upper() for name in Settings.model_fields)
OF_BOTO3 = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        DEFAULT_REGION_VARIABLE,
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CA_BUNDLE",
    }
)
"""Variables of boto3 that an operator sets by hand ("Using environment variables")."""
ENDPOINTS = "AWS_ENDPOINT_URL_"
"""Prefix of the endpoints of single services."""
OF_OPENTELEMETRY = frozenset(
    f"OTEL_EXPORTER_OTLP_{signal}{what}"
    for signal in ("", "TRACES_", "METRICS_", "LOGS_")
    for what in ("ENDPOINT", "PROTOCOL", "HEADERS", "TIMEOUT", "COMPRESSION", "CERTIFICATE", "CLIENT_KEY")
)
"""Variables of OpenTelemetry that resemble ours."""

SIMILARITY = 0.8
"""Lowest similarity of a misspelt name: `EVENTBRIDGE_BUS` is one, `FILE_NAME` is none."""
SHORTEST = 5
"""Characters of a name that can be misspelt: too many names resemble HOST and PORT."""


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """Return the nearest known variable for each name that is nearly one, unless that one is given, too."""
    given, known = set(names), OURS | OF_BOTO3 | OF_OPENTELEMETRY
    missing = sorted(name for name in known - given if len(name) >= SHORTEST)
    nearest = {
        name: get_close_matches(name.upper(), missing, n=1, cutoff=SIMILARITY)
        for name in sorted(given - known)
        if not name.startswith(ENDPOINTS)
    }
    return {
        name: found[0]
        for name, found in nearest.items()
        if found and not name.endswith(f"_{found[0]}")  # UV_LOG_LEVEL is uv's own
    }
