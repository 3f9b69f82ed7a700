"""Factory of consumers, for `transcripts consume` and for consumers that other teams write in Python.

settings = Settings.from_env(os.environ)
build_consumer(settings, MyHandler(), group="crm").run()
"""

from typing import TYPE_CHECKING

from bootstrap.aws.timeouts import DEFAULT_TIMEOUT_SECONDS
from domain.model.events.kinds import EventKind
from domain.services.consuming.consumer import Consumer, ConsumerOptions
from ports.event_handler_port import EventHandlerPort

if TYPE_CHECKING:
    from adapters.telemetry.metrics.instruments import Metrics
    from bootstrap.settings import Settings

DEFAULT_GROUP = "default"


def build_consumer(
    settings: "Settings",  # queue, database and bucket
    handler: EventHandlerPort,
    *,
    kind: EventKind = EventKind.COMPLETED,  # each kind of event has a queue of its own
    group: str = DEFAULT_GROUP,  # deduplicates events within a group; consumers with the same task share one
    options: ConsumerOptions | None = None,  # threads, timeouts and the end of the run
    aws_timeout: float = DEFAULT_TIMEOUT_SECONDS,  # longest wait for one call to AWS, beside the long poll
    metrics: "Metrics | None" = None,  # those of this process, if it serves any
) -> Consumer:
    """Build a consumer of the queue of these events that stores processed events in `DATABASE_URL`.

    Raises:
        ConfigurationError: the AWS configuration or the database configuration is invalid.
        OutboxUnavailableError: the database is unreachable, or refuses the connection.
    """
    from bootstrap.container import build_container  # noqa: PLC0415 - slow to import, and `--help` needs only a name
    from bootstrap.factories.telemetry import metered_handler  # noqa: PLC0415 - same
    from bootstrap.factories.tracing import traced_handler  # noqa: PLC0415 - same
    from bootstrap.runtime.metrics import observe_consumer  # noqa: PLC0415 - same

    options, container = options or ConsumerOptions(), build_container(settings, aws_timeout=aws_timeout)
    threads = options.threads
    consumer = Consumer(
        container.routes()[kind].consumer_queue(client__threads=threads, polling__threads=threads),
        metered_handler(
            traced_handler(handler, container.trace(), settings.routes[kind].queue), metrics, group
        ),
        container.processed_events(group=group),
        container.payloads(),
        source=settings.event_source,
        kind=kind,
        options=options,
    )
    if metrics is not None:
        observe_consumer(consumer, metrics, group)
    return consumer
