"""EVENT_TRANSPORT=rabbitmq."""

from bootstrap.extras import require
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError
from ports.event_port import EventPort


def publisher(settings: Settings, /, *, timeout_seconds: float) -> EventPort:
    """Build a publisher to an exchange of RabbitMQ; it connects with its first event.

    Raises:
        ConfigurationError: RABBITMQ_URL is not set, or the extra is not installed.
    """
    require("rabbitmq", "EVENT_TRANSPORT=rabbitmq")
    if settings.rabbitmq_url is None:
        raise ConfigurationError(
            "EVENT_TRANSPORT=rabbitmq needs RABBITMQ_URL, such as amqp://user:password@rabbitmq.internal/"
        )
    from adapters.brokers.publisher import BrokerPublisher  # noqa: PLC0415 - an extra
    from adapters.rabbitmq.broker import RabbitMqServer  # noqa: PLC0415 - same

    return BrokerPublisher(
        RabbitMqServer(settings.rabbitmq_url.get_secret_value(), settings.rabbitmq_exchange),
        source=settings.event_source,
        max_bytes=settings.event_max_bytes,
        timeout_seconds=timeout_seconds,
    )
