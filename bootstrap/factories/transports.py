"""The chosen transport of events: a publisher for which a request waits, and a patient one of the relay."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Protocol

from bootstrap.aws.clients import (
    AwsAccess,
    patiently_storing_client,
    publishing_client,
    relaying_client,
    sns_publishing_client,
    sns_relaying_client,
    storing_client,
)
from bootstrap.choices import EventTransport
from bootstrap.factories.events import (
    event_bridge_publisher,
    payload_store,
    resolve_transport,
    sns_publisher,
    topic_address,
)
from bootstrap.injection import DeclarativeContainer, providers
from bootstrap.settings import Settings
from bootstrap.transports import GROUP, has_bus
from domain.model.errors import ConfigurationError
from domain.services.claim_check import ClaimCheck
from domain.services.relay.dispatcher import DEFAULT_THREADS
from domain.services.relay.relay import LEASE_SECONDS
from domain.services.route.transport_verification import PublishingProbe, TransportVerificationService
from ports.event_port import EventPort
from ports.transport_probe_port import TransportProbePort

RELAY_TIMEOUT_SECONDS = 15.0
"""Longest wait of the relay for the transport to accept a batch; EventBridge and SNS take 3 + 10 s."""

STORE_SECONDS = 11.0
"""Longest wait of the relay for the store of large transcripts: 1 + 10 s (STORING_PATIENTLY)."""

SPARE_SECONDS = 2.0
"""Time for what comes before and behind the calls: looking up the topic, and recording the outcomes."""


class TransportFactory(Protocol):
    """Builds publishers of one transport; an entry point of the group names it (docs/transports.md)."""

    def __call__(self, settings: Settings, /, *, timeout_seconds: float) -> EventPort:
        """Build a publisher; publishing a batch takes at most `timeout_seconds`.

        Raises:
            ConfigurationError: a setting is missing, or a library is not installed.
        """
        ...


def transport_publisher(
    settings: Settings,
    transport: str,
    of_aws: Mapping[str, Callable[[], EventPort]],
    *,
    timeout_seconds: float,
) -> EventPort:
    """Build a publisher of the transport; one without a bus never gets to publish.

    Raises:
        ConfigurationError: the package of the transport cannot be imported, or builds something else, or a
            setting is missing.
    """
    if transport in of_aws or not has_bus(transport):
        return of_aws.get(transport, of_aws[EventTransport.EVENTBRIDGE])()
    return _inheriting(transport, _factory_of(transport)(settings, timeout_seconds=timeout_seconds))


def _inheriting(transport: str, publisher: EventPort) -> EventPort:
    """Refuse a publisher that only looks like the port: it lacks what the port has gained since."""
    if EventPort in type(publisher).__mro__:  # `isinstance` would ask for a protocol that looks at names
        return publisher
    raise ConfigurationError(
        f"EVENT_TRANSPORT={transport}: its package built a {type(publisher).__name__}, which does not "
        "inherit from ports.event_port.EventPort: let the class inherit from it (docs/transports.md)."
    )


def relay_timeout(settings: Settings, transport: str) -> float:
    """Return the longest wait of the relay for the transport to accept a batch, in seconds."""
    if transport == EventTransport.WEBHOOK:
        return settings.webhook_timeout_seconds
    return RELAY_TIMEOUT_SECONDS


def relay_lease(settings: Settings, transport: str) -> float:
    """Return the lease of a batch, of which the second half is as long as the last call may take.

    The transport may refuse an event as too large at its very last moment, and gets it again once its
    transcripts are stored: 2 * (15 + 11 + 15 + 2) = 86 s with PAYLOAD_BUCKET. Without, a minute is enough.
    """
    if settings.payload_bucket is None:
        return LEASE_SECONDS
    call = relay_timeout(settings, transport)
    return max(LEASE_SECONDS, 2 * (call + STORE_SECONDS + call + SPARE_SECONDS))


def transport_probe(
    settings: Settings, transport: str, sender: Callable[[], EventPort]
) -> TransportProbePort:
    """Build the probe of a transport that is not on AWS: its own, or one that publishes."""
    if transport == EventTransport.WEBHOOK:
        from bootstrap.factories import webhook  # noqa: PLC0415 - only where it is chosen

        return webhook.probe(settings, timeout_seconds=settings.webhook_timeout_seconds)
    return PublishingProbe(sender())


def _factory_of(transport: str) -> TransportFactory:
    if transport == EventTransport.WEBHOOK:
        from bootstrap.factories import webhook  # noqa: PLC0415 - only where it is chosen

        return webhook.publisher
    (entry_point,) = entry_points(group=GROUP, name=transport)
    try:
        factory: TransportFactory = entry_point.load()
    except ImportError as error:
        raise ConfigurationError(
            f"EVENT_TRANSPORT={transport}: {entry_point.value} cannot be imported: {error}"
        ) from error
    return factory


class TransportContainer(DeclarativeContainer):
    """Objects that send events, by whichever transport is chosen; large transcripts go beside the event."""

    settings = providers.Dependency(instance_of=Settings)
    aws_access = providers.Dependency(instance_of=AwsAccess)

    event_transport = providers.Singleton(resolve_transport, settings)
    relay_lease = providers.Callable(relay_lease, settings, event_transport)
    event_bridge = providers.Singleton(
        event_bridge_publisher, settings, providers.Singleton(publishing_client, aws_access)
    )
    patient_event_bridge = providers.Singleton(
        event_bridge_publisher,
        settings,
        providers.Singleton(relaying_client, aws_access, threads=DEFAULT_THREADS),
    )
    topic = providers.Singleton(topic_address, settings, aws_access)
    sns = providers.Singleton(
        sns_publisher, settings, topic, providers.Singleton(sns_publishing_client, aws_access)
    )
    patient_sns = providers.Singleton(
        sns_publisher,
        settings,
        topic,
        providers.Singleton(sns_relaying_client, aws_access, threads=DEFAULT_THREADS),
    )
    payloads = providers.Singleton(payload_store, settings, aws_access)  # to read and to erase
    sender = providers.Singleton(
        ClaimCheck,
        providers.Singleton(
            transport_publisher,
            settings,
            event_transport,
            providers.Dict(eventbridge=event_bridge.provider, sns=sns.provider),
            timeout_seconds=settings.provided.publish_timeout_seconds,
        ),
        providers.Singleton(payload_store, settings, aws_access, storing_client),
        always=settings.provided.always_by_reference,
    )
    patient_sender = providers.Singleton(
        ClaimCheck,
        providers.Singleton(
            transport_publisher,
            settings,
            event_transport,
            providers.Dict(eventbridge=patient_event_bridge.provider, sns=patient_sns.provider),
            timeout_seconds=providers.Callable(relay_timeout, settings, event_transport),
        ),
        providers.Singleton(payload_store, settings, aws_access, patiently_storing_client),
        always=settings.provided.always_by_reference,
    )
    verification = providers.Singleton(
        TransportVerificationService,
        providers.Singleton(transport_probe, settings, event_transport, patient_sender.provider),
    )
