"""Settings of brokers: what is missing or wrong is named at the start, and no secret is quoted."""

import pytest

from bootstrap.factories import kafka, nats, rabbitmq
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError

FACTORIES = {"nats": nats.publisher, "rabbitmq": rabbitmq.publisher, "kafka": kafka.publisher}
SASL = {"KAFKA_BOOTSTRAP_SERVERS": "k:9092", "KAFKA_SECURITY": "sasl_ssl", "KAFKA_USERNAME": "us"}


@pytest.mark.parametrize(
    ("transport", "environ", "named"),
    [
        ("nats", {}, "NATS_URL"),
        ("rabbitmq", {}, "RABBITMQ_URL"),
        ("kafka", {}, "KAFKA_BOOTSTRAP_SERVERS"),
        ("kafka", SASL, "KAFKA_SASL, KAFKA_USERNAME and KAFKA_PASSWORD"),
    ],
)
def test_a_missing_setting_is_named(transport: str, environ: dict[str, str], named: str) -> None:
    settings = Settings.from_env({"EVENT_TRANSPORT": transport, **environ})

    with pytest.raises(ConfigurationError, match=named):
        FACTORIES[transport](settings, timeout_seconds=2.0)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NATS_URL", "http://user:sesame@host"),
        ("NATS_URL", "nats://a:4222,http://user:sesame@host"),
        ("RABBITMQ_URL", "http://user:sesame@host"),
    ],
)
def test_a_wrong_url_is_not_quoted(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{variable}: must be") as refusal:
        Settings.from_env({variable: value})

    assert "sesame" not in str(refusal.value)


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("NATS_SUBJECT", "events.>", "words with dots"),
        ("KAFKA_TOPIC", "my topic", "up to 249 letters"),
        ("KAFKA_SECURITY", "sasl", "sasl_ssl"),
        ("KAFKA_SASL", "SCRAM", "SCRAM-SHA-512"),
    ],
)
def test_a_wrong_name_says_what_is_right(variable: str, value: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=hint):
        Settings.from_env({variable: value})


def test_a_publisher_connects_with_its_first_event_alone() -> None:
    environ = {
        "NATS_URL": "nats://user:sesame@127.0.0.1:1",
        "RABBITMQ_URL": "amqp://user:sesame@127.0.0.1:1/",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    }
    settings = Settings.from_env(environ)

    publishers = [factory(settings, timeout_seconds=2.0) for factory in FACTORIES.values()]

    assert "sesame" not in repr([vars(publisher) for publisher in publishers])
