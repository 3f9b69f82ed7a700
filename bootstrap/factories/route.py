"""The objects around the route of one kind of event: its queues, consumers, diagnosis and provisioning."""

from dependency_injector import providers
from dependency_injector.containers import DeclarativeContainer

from adapters.aws.diagnosis.bus import BusDiagnosis
from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from adapters.aws.sqs.move_task import SqsMoveTask
from adapters.aws.sqs.queue import SqsQueue
from bootstrap.aws.clients import AwsAccess, consuming_client, settling_client
from bootstrap.settings import Settings
from domain.model.route.route import RouteNames
from domain.services.dead_letters.dead_letters import DeadLetters
from domain.services.dead_letters.redrive import Redrive
from domain.services.route.verification import EventVerificationService


class RouteContainer(DeclarativeContainer):
    """Objects of one route; the clients and the publisher are those of the container around it."""

    settings = providers.Dependency(instance_of=Settings)
    names = providers.Dependency(instance_of=RouteNames)
    aws_access = providers.Dependency(instance_of=AwsAccess)
    event_bridge = providers.Dependency(instance_of=object)
    buses = providers.Dependency(instance_of=object)
    queues = providers.Dependency(instance_of=object)
    polling = providers.Dependency(instance_of=object)
    kms = providers.Dependency(instance_of=object)
    cloudwatch = providers.Dependency(instance_of=object)

    queue = providers.Singleton(SqsQueue, queues, name=names.provided.queue, polling=polling)
    dead_letters = providers.Singleton(
        SqsQueue, queues, name=names.provided.dead_letter_queue, polling=polling
    )
    dead_letter_service = providers.Singleton(
        DeadLetters, dead_letters, queue, source=names.provided.source, kind=names.provided.kind
    )
    redrive = providers.Singleton(
        Redrive,
        dead_letters,
        queue,
        providers.Singleton(
            SqsMoveTask, queues, source=names.provided.dead_letter_queue, target=names.provided.queue
        ),
        source=names.provided.source,
        kind=names.provided.kind,
    )
    consumer_queue = providers.Factory(  # called with client__threads=… and polling__threads=…
        SqsQueue,
        client=providers.Factory(settling_client, aws_access),
        name=names.provided.queue,
        polling=providers.Factory(consuming_client, aws_access),
    )
    bus_diagnosis = providers.Singleton(BusDiagnosis, buses, names)
    infrastructure = providers.Singleton(
        AwsEventInfrastructure,
        buses,
        queues,
        kms,
        cloudwatch,
        names,
        key=settings.provided.queue_kms_key,
    )
    verification = providers.Singleton(
        EventVerificationService,
        event_bridge,
        queue,
        dead_letters,
        infrastructure,
        kind=names.provided.kind,
    )
