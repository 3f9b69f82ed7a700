"""A consumer, ready to run: for `transcripts consume`, and for teams that write their own in Python.

settings = Settings.from_env(os.environ)
build_consumer(settings, MyHandler(), group="crm").run()
"""

from typing import TYPE_CHECKING

from domain.services.consuming.consumer import Consumer, ConsumerOptions
from ports.event_handler_port import EventHandlerPort

if TYPE_CHECKING:
    from bootstrap.settings import Settings

DEFAULT_GROUP = "default"


def build_consumer(
    settings: "Settings",
    handler: EventHandlerPort,
    *,
    group: str = DEFAULT_GROUP,
    options: ConsumerOptions | None = None,
) -> Consumer:
    """A consumer of the queue `QUEUE_NAME`, with its memory in `DATABASE_URL`.

    Args:
        settings: which queue, database and bucket.
        handler: works the events off.
        group: whose memory it shares. Consumers that do the same work have the same; others have another.
        options: threads, timeouts and the end of the run.

    Raises:
        ConfigurationError: the AWS configuration or the database cannot be used as configured.
        OutboxUnavailableError: the database cannot be reached, or refuses.
    """
    from bootstrap.container import build_container  # noqa: PLC0415 - slow to import, and `--help` needs a name alone

    options, container = options or ConsumerOptions(), build_container(settings)
    return Consumer(
        container.consumer_queue(client__threads=options.threads),
        handler,
        container.processed_events(group=group),
        container.payloads(),
        source=settings.event_source,
        options=options,
    )
