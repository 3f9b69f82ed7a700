"""EVENT_TRANSPORT=nats."""

from bootstrap.extras import require
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError
from ports.event_port import EventPort


def publisher(settings: Settings, /, *, timeout_seconds: float) -> EventPort:
    """Build a publisher to NATS JetStream; it connects with its first event.

    Raises:
        ConfigurationError: NATS_URL is not set, or the extra is not installed.
    """
    require("nats", "EVENT_TRANSPORT=nats")
    if settings.nats_url is None:
        raise ConfigurationError("EVENT_TRANSPORT=nats needs NATS_URL, such as nats://nats.internal:4222")
    from adapters.brokers.publisher import BrokerPublisher  # noqa: PLC0415 - an extra
    from adapters.nats.broker import NatsServers  # noqa: PLC0415 - same

    urls = tuple(url.strip() for url in settings.nats_url.get_secret_value().split(","))
    return BrokerPublisher(
        NatsServers(urls, settings.nats_subject, settings.nats_credentials),
        source=settings.event_source,
        max_bytes=settings.event_max_bytes,
        timeout_seconds=timeout_seconds,
    )
