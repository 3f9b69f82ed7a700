"""Transports of teams: what their packages build, and how long their calls may take."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from bootstrap.aws.clients import AwsAccess, publishing_client, relaying_client
from bootstrap.container import Container, build_container
from bootstrap.factories import transports
from bootstrap.factories.events import TOPIC_SECONDS
from bootstrap.factories.transports import transport_publisher
from bootstrap.settings import Settings
from bootstrap.transports import GROUP
from domain.model.errors import ConfigurationError
from domain.services.publishing import outbox_publisher
from ports.event_port import MAX_BATCH, EventPort
from tests.support.doubles.delivery import AnsweringEventPublisher


class OnlyAlike:
    """Publisher with the method of the port that was there before `batch_size`."""

    def publish_all(self, *_: object, **__: object) -> tuple[()]:
        return ()


def an_heir(_settings: Settings, /, *, timeout_seconds: float) -> EventPort:  # noqa: ARG001 - the interface's
    return AnsweringEventPublisher()


def only_alike(_settings: Settings, /, *, timeout_seconds: float) -> Any:  # noqa: ARG001 - same
    return OnlyAlike()


def built(factory: str, monkeypatch: pytest.MonkeyPatch) -> EventPort:
    """Build the publisher of a package whose entry point names a function of this module."""
    found = EntryPoint("own", f"{__name__}:{factory}", GROUP)
    monkeypatch.setattr(transports, "entry_points", lambda **_: (found,))
    return transport_publisher(Settings.from_env({}), "own", {}, timeout_seconds=2.0)


def test_a_publisher_that_inherits_from_the_port_has_what_the_port_gained_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert built("an_heir", monkeypatch).batch_size == MAX_BATCH


def test_a_publisher_that_does_not_inherit_from_the_port_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigurationError, match=r"EVENT_TRANSPORT=own: .*OnlyAlike.* inherit from it"):
        built("only_alike", monkeypatch)


# Leases


LONGEST = {"PUBLISH_TIMEOUT_SECONDS": "3", "WEBHOOK_TIMEOUT_SECONDS": "25"}
"""The largest values of these settings; larger ones are refused."""
RELAYED = {"eventbridge": 13.0, "sns": 13.0, "webhook": 25.0, "nats": 15.0, "rabbitmq": 15.0, "kafka": 15.0}
"""Longest call of the relay to each transport, in seconds."""
PAUSE_SECONDS = 1.0
"""Longest pause before the second try of a call to AWS (SDKs and Tools Reference Guide, "Retry behavior")."""


def container_of(transport: str, **environ: str) -> Container:
    return build_container(Settings.from_env({"EVENT_TRANSPORT": transport, **LONGEST, **environ}))


def longest_call(client: Any) -> float:
    """Return the longest time that a call of a client of AWS may take, in seconds."""
    config = client.meta.config
    tries: int = config.retries["total_max_attempts"]
    seconds: float = config.connect_timeout + config.read_timeout
    return tries * seconds + (tries - 1) * PAUSE_SECONDS


def longest_store(claim_check: Any) -> float:
    return longest_call(claim_check._payloads._client)


def test_the_lease_of_the_inline_attempt_is_longer_than_the_attempt() -> None:
    container = container_of("sns", PAYLOAD_BUCKET="a-bucket")
    bus = longest_call(publishing_client(AwsAccess("eu-central-1")))
    waits = container.settings().publish_timeout_seconds

    attempt = waits + TOPIC_SECONDS + bus + longest_store(container.sender()) + bus

    assert bus > waits, "other transports are called no longer than a caller waits"
    assert attempt < outbox_publisher.LEASE_SECONDS


@pytest.mark.parametrize("transport", RELAYED)
@pytest.mark.parametrize("environ", [{}, {"PAYLOAD_BUCKET": "a-bucket"}], ids=["inline", "bucket"])
def test_half_of_the_relays_lease_is_longer_than_its_last_call(
    transport: str, environ: dict[str, str]
) -> None:
    container = container_of(transport, **environ)
    sent_again = longest_store(container_of("sns", **environ).patient_sender()) if environ else 0.0
    topic = TOPIC_SECONDS if transport == "sns" else 0.0
    bus = RELAYED[transport]

    call = topic + bus + (sent_again + bus if environ else 0.0)

    assert container._transport.relay_lease() / 2 > call


def test_the_relay_works_with_the_lease_and_the_time_outs_of_its_transport(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/t.db"
    container = container_of("eventbridge", PAYLOAD_BUCKET="a-bucket", DATABASE_URL=database)

    assert container.relay()._lease_seconds == container._transport.relay_lease() == 86.0
    assert longest_call(relaying_client(AwsAccess("eu-central-1"), threads=1)) == RELAYED["eventbridge"]
    assert transports.relay_timeout(container.settings(), "webhook") == RELAYED["webhook"]
    assert RELAYED["kafka"] == transports.RELAY_TIMEOUT_SECONDS
    assert longest_store(container.patient_sender()) == transports.STORE_SECONDS
