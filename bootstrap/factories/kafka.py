"""EVENT_TRANSPORT=kafka."""

from typing import TYPE_CHECKING

from bootstrap.choices import KafkaSecurity
from bootstrap.extras import require
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError
from ports.event_port import EventPort

if TYPE_CHECKING:
    from adapters.kafka.access import KafkaAccess

_WITH_PASSWORD = frozenset({KafkaSecurity.SASL_PLAINTEXT, KafkaSecurity.SASL_SSL})


def publisher(settings: Settings, /, *, timeout_seconds: float) -> EventPort:
    """Build a publisher to a topic of Kafka; it connects with its first event.

    Raises:
        ConfigurationError: KAFKA_BOOTSTRAP_SERVERS or a part of the credentials is not set, or the extra is
            not installed.
    """
    require("kafka", "EVENT_TRANSPORT=kafka")
    from adapters.kafka.publisher import KafkaPublisher  # noqa: PLC0415 - an extra

    return KafkaPublisher(
        _access(settings),
        source=settings.event_source,
        max_bytes=settings.event_max_bytes,
        timeout_seconds=timeout_seconds,
    )


def _access(settings: Settings) -> "KafkaAccess":
    from adapters.kafka.access import KafkaAccess  # noqa: PLC0415 - an extra

    if settings.kafka_bootstrap_servers is None:
        raise ConfigurationError(
            "EVENT_TRANSPORT=kafka needs KAFKA_BOOTSTRAP_SERVERS, such as kafka.internal:9092"
        )
    return KafkaAccess(
        settings.kafka_bootstrap_servers,
        settings.kafka_topic,
        protocol=settings.kafka_security,
        ca_file=None if settings.kafka_ca_file is None else str(settings.kafka_ca_file),
        **_credentials(settings),
    )


def _credentials(settings: Settings) -> dict[str, str]:
    if settings.kafka_security not in _WITH_PASSWORD:
        return {}
    username, password, mechanism = settings.kafka_username, settings.kafka_password, settings.kafka_sasl
    if username is None or password is None or mechanism is None:
        raise ConfigurationError(
            f"KAFKA_SECURITY={settings.kafka_security} needs KAFKA_SASL, KAFKA_USERNAME and KAFKA_PASSWORD"
        )
    return {"mechanism": mechanism, "username": username, "password": password.get_secret_value()}
