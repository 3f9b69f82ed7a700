"""Settings of the webhook, for EVENT_TRANSPORT=webhook."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from adapters.web.locations import parsed
from adapters.web.webhook.signature import key_of
from bootstrap.fields import Networks, Seconds
from bootstrap.settings.group import SettingsGroup


def _url(url: SecretStr) -> SecretStr:
    parsed(url.get_secret_value(), schemes=("https", "http"))
    return url


def _secrets(secrets: object) -> object:
    """Split `whsec_…,whsec_…` into secrets."""
    if not isinstance(secrets, str):
        return secrets
    return tuple(each.strip() for each in secrets.split(",") if each.strip())


def _with_keys(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for secret in secrets:
        key_of(secret.get_secret_value())
    return secrets


WebhookUrl = Annotated[SecretStr, AfterValidator(_url)]  # its path may be a secret
WebhookSecrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_secrets), AfterValidator(_with_keys)]


class WebhookSettings(SettingsGroup):
    """Endpoint of the webhook, the secrets that sign, and the time that it may take.

    The relay waits `webhook_timeout_seconds` for a batch, and half of its lease is longer; callers wait
    PUBLISH_TIMEOUT_SECONDS.
    """

    webhook_url: WebhookUrl | None = None
    webhook_secrets: WebhookSecrets = ()
    webhook_timeout_seconds: Seconds = Field(default=15.0, le=25)
    webhook_allow_networks: Networks = ()
