"""Factories of the webhook: its publisher, and the probe of its endpoint."""

from adapters.web.locations import Location, parsed
from adapters.web.webhook.client import WebhookClient
from adapters.web.webhook.endpoint import Endpoint
from adapters.web.webhook.probe import WebhookProbe
from adapters.web.webhook.publisher import WebhookPublisher
from adapters.web.webhook.signature import key_of
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError


def publisher(settings: Settings, /, *, timeout_seconds: float) -> WebhookPublisher:
    """Build a publisher; a batch takes at most `timeout_seconds`.

    Raises:
        ConfigurationError: the endpoint or its secret is not set, or plain text would leave the operator's
            networks.
    """
    return _publisher(settings, webhook_endpoint(settings), timeout_seconds)


def probe(settings: Settings, /, *, timeout_seconds: float) -> WebhookProbe:
    """Build a probe of the endpoint; it takes at most `timeout_seconds`.

    Raises:
        ConfigurationError: see `publisher`.
    """
    endpoint = webhook_endpoint(settings)
    return WebhookProbe(endpoint, _publisher(settings, endpoint, timeout_seconds), seconds=timeout_seconds)


def webhook_endpoint(settings: Settings) -> Endpoint:
    """Build the endpoint, without a connection.

    Raises:
        ConfigurationError: see `publisher`.
    """
    if not settings.webhook_secrets:
        raise ConfigurationError(
            "EVENT_TRANSPORT=webhook needs WEBHOOK_SECRETS, which sign the events: "
            "make one with `transcripts webhook secret`, and give it to the endpoint."
        )
    return Endpoint(_location(settings), allowed=settings.webhook_allow_networks)


def _location(settings: Settings) -> Location:
    if settings.webhook_url is None:
        raise ConfigurationError(
            "EVENT_TRANSPORT=webhook needs WEBHOOK_URL, the https:// address to which events are posted."
        )
    location = parsed(settings.webhook_url.get_secret_value(), schemes=("https", "http"))
    if location.scheme != "https" and not settings.webhook_allow_networks:
        raise ConfigurationError(
            "WEBHOOK_URL must begin with https://; http:// reaches only your own networks, those that "
            "WEBHOOK_ALLOW_NETWORKS lists."
        )
    return location


def _publisher(settings: Settings, endpoint: Endpoint, timeout_seconds: float) -> WebhookPublisher:
    return WebhookPublisher(
        WebhookClient(endpoint),
        source=settings.event_source,
        keys=[key_of(each.get_secret_value()) for each in settings.webhook_secrets],
        max_bytes=settings.event_max_bytes,
        timeout_seconds=timeout_seconds,
    )
