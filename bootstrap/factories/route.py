"""The objects around the route of one kind of event: its queues, consumers, diagnosis and provisioning."""

from collections.abc import Callable

from adapters.aws.diagnosis.bus import BusDiagnosis
from adapters.aws.diagnosis.topic import TopicDiagnosis
from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from adapters.aws.infrastructure.topics import SnsEventInfrastructure
from adapters.aws.sqs.move_task import SqsMoveTask
from adapters.aws.sqs.queue import SqsQueue
from bootstrap.aws.clients import AwsAccess, consuming_client, settling_client
from bootstrap.factories.erasure import erased_lookup
from bootstrap.injection import DeclarativeContainer, providers
from bootstrap.settings import Settings
from domain.model.events.kinds import EventKind
from domain.model.route.route import RouteNames
from domain.services.dead_letters.dead_letters import DeadLetters
from domain.services.dead_letters.redrive import Redrive
from domain.services.route.verification import EventVerificationService


def feed_of(settings: Settings) -> str:
    """Tell what feeds the queues: a `topic` of SNS, or a `bus` of EventBridge and its rule."""
    return "topic" if settings.is_sns else "bus"


class RouteContainer(DeclarativeContainer):
    """Objects of one route; the clients and the publisher are those of the container around it."""

    settings = providers.Dependency(instance_of=Settings)
    names = providers.Dependency(instance_of=RouteNames)
    aws_access = providers.Dependency(instance_of=AwsAccess)
    transport = providers.DependenciesContainer()
    buses = providers.Dependency(instance_of=object)
    queues = providers.Dependency(instance_of=object)
    polling = providers.Dependency(instance_of=object)
    topics = providers.Dependency(instance_of=object)
    kms = providers.Dependency(instance_of=object)
    cloudwatch = providers.Dependency(instance_of=object)
    erasures = providers.Dependency(instance_of=object)

    queue = providers.Singleton(SqsQueue, queues, name=names.provided.queue, polling=polling)
    dead_letters = providers.Singleton(
        SqsQueue, queues, name=names.provided.dead_letter_queue, polling=polling
    )
    dead_letter_service = providers.Singleton(
        DeadLetters, dead_letters, queue, source=names.provided.source, kind=names.provided.kind
    )
    redrive = providers.Factory(  # for each redrive: transcripts may have been erased since the last one
        Redrive,
        dead_letters,
        queue,
        providers.Singleton(
            SqsMoveTask, queues, source=names.provided.dead_letter_queue, target=names.provided.queue
        ),
        source=names.provided.source,
        kind=names.provided.kind,
        erased=providers.Callable(erased_lookup, settings, names.provided.kind, erasures.provider),
    )
    consumer_queue = providers.Factory(  # called with client__threads=… and polling__threads=…
        SqsQueue,
        client=providers.Factory(settling_client, aws_access),
        name=names.provided.queue,
        polling=providers.Factory(consuming_client, aws_access),
    )
    _feed = providers.Callable(feed_of, settings)
    feed_diagnosis = providers.Selector(
        _feed,
        bus=providers.Singleton(BusDiagnosis, buses, names),
        topic=providers.Singleton(TopicDiagnosis, topics, transport.topic, names),
    )
    infrastructure = providers.Selector(
        _feed,
        bus=providers.Singleton(
            AwsEventInfrastructure,
            buses,
            queues,
            kms,
            cloudwatch,
            names,
            key=settings.provided.queue_kms_key,
        ),
        topic=providers.Singleton(
            SnsEventInfrastructure,
            topics,
            queues,
            kms,
            cloudwatch,
            transport.topic,
            names,
            key=settings.provided.queue_kms_key,
        ),
    )
    verification = providers.Singleton(
        EventVerificationService,
        providers.Selector(_feed, bus=transport.event_bridge, topic=transport.sns),
        queue,
        dead_letters,
        infrastructure,
        kind=names.provided.kind,
    )


def routes_of(
    completed: providers.Container[RouteContainer],
    build: Callable[..., providers.Container[RouteContainer]],
    settings: providers.Dependency[Settings],
) -> providers.Dict:
    """Provide the route of each kind of event; that of completed events has a name in the container."""
    others = (kind for kind in EventKind if kind is not EventKind.COMPLETED)
    built = {kind: build(names=settings.provided.routes[kind]) for kind in others}
    return providers.Dict({EventKind.COMPLETED: completed, **built})
