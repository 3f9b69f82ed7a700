"""Settings of message brokers: NATS, RabbitMQ and Kafka as transports of events."""

from pathlib import Path

from pydantic import SecretStr

from bootstrap.choices import KafkaSasl, KafkaSecurity
from bootstrap.fields import AmqpUrl, KafkaTopic, NatsSubject, NatsUrls, Printable
from bootstrap.settings.group import SettingsGroup

DEFAULT_NAME = "batch-transcription"


class BrokerSettings(SettingsGroup):
    """Message brokers; only those of the chosen transport are used."""

    nats_url: NatsUrls | None = None
    nats_subject: NatsSubject = f"{DEFAULT_NAME}.{{detail_type}}"
    nats_credentials: Path | None = None
    rabbitmq_url: AmqpUrl | None = None
    rabbitmq_exchange: Printable = DEFAULT_NAME
    kafka_bootstrap_servers: Printable | None = None
    kafka_topic: KafkaTopic = DEFAULT_NAME
    kafka_security: KafkaSecurity = KafkaSecurity.PLAINTEXT
    kafka_sasl: KafkaSasl | None = None
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Path | None = None
