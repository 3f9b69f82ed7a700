"""Celery application, set up so that a message is a ring and no more: the row of the job decides.

A message is acknowledged on receipt, and has no result. So visibility limits, redelivery, acknowledgement
time-outs and dead brokers delay a job, and never lose or repeat it.
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from celery import Celery
from kombu import Exchange, Queue

TASK = "transcripts.transcribe"
"""Name of the task; its argument is the id of a job."""
VISIBILITY_SECONDS = 300
"""Time after which Redis and SQS deliver a message again that a worker has taken, and not begun."""
PUBLISH_SECONDS = 3.0
"""Time-out of each step of a publication, for which no caller waits."""
LONG_POLL_SECONDS = 10

Options = dict[str, object]


class Broker(NamedTuple):
    """Broker of messages."""

    url: str  # may have a password
    region: str  # of SQS
    aws_endpoint_url: str | None = None  # of SQS, unless the URL names one


def queue_name(queue: str) -> str:
    """Return the broker's name of a queue of jobs: other applications may use the broker, too."""
    return f"transcripts-{queue}"


def publishing_app(broker: Broker) -> Celery:
    """Build an application that gives up on a broker soon."""
    timeouts: dict[str, Options] = {
        "redis": {"socket_connect_timeout": PUBLISH_SECONDS, "socket_timeout": PUBLISH_SECONDS},
        "amqp": {
            "read_timeout": PUBLISH_SECONDS,
            "write_timeout": PUBLISH_SECONDS,
            "confirm_publish": True,  # without it, a message to a dying broker is lost in silence
        },
        "sqs": {"client-config": _client_config(PUBLISH_SECONDS)},
    }
    app = _app(broker, timeouts[_kind(broker)])
    app.conf.update(broker_connection_timeout=PUBLISH_SECONDS, task_publish_retry=False)
    return app


def worker_app(broker: Broker, queues: Sequence[str]) -> Celery:
    """Build an application whose workers take one message for each of their threads."""
    kind = _kind(broker)
    timeouts: dict[str, Options] = {
        "redis": {"socket_connect_timeout": 5.0, "socket_keepalive": True},
        "amqp": {},
        "sqs": {"client-config": _client_config(LONG_POLL_SECONDS + 10)},
    }
    app = _app(broker, timeouts[kind])
    app.conf.update(
        task_queues=[_queue(queue_name(each)) for each in queues],
        worker_pool="threads",  # a transcriber serves one process
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=kind == "redis",  # the only broker for which Celery can
        worker_enable_remote_control=kind != "sqs",  # which has no broadcasts
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_channel_error_retry=True,  # an answer of a broker that is short of something ends no worker
        broker_connection_max_retries=None,  # tries for ever: meanwhile, the worker looks at the database
    )
    return app


def _app(broker: Broker, options: Options) -> Celery:
    app = Celery("transcripts", set_as_current=False)
    app.conf.update(
        broker_url=_url(broker),
        broker_transport_options=_transport_options(broker) | options,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=False,
        task_ignore_result=True,
        task_default_delivery_mode="persistent",
    )
    return app


def _queue(name: str) -> Queue:
    """Build a queue as Celery does for a publisher that names one it does not know."""
    return Queue(name, Exchange(name, type="direct"), routing_key=name)


def _kind(broker: Broker) -> str:
    scheme = urlsplit(broker.url).scheme
    return {"rediss": "redis", "amqps": "amqp"}.get(scheme, scheme)


def _url(broker: Broker) -> str:
    """Return the URL, with the endpoint of AWS where `sqs://` names no host."""
    endpoint = broker.aws_endpoint_url
    if _kind(broker) != "sqs" or urlsplit(broker.url).hostname or endpoint is None:
        return broker.url
    return f"sqs://{urlsplit(endpoint).netloc}"


def _transport_options(broker: Broker) -> Options:
    if _kind(broker) == "amqp":
        return {}
    options: Options = {"visibility_timeout": VISIBILITY_SECONDS}
    if _kind(broker) == "sqs":
        is_plain = (broker.aws_endpoint_url or "").startswith("http://")
        options |= {
            "region": broker.region,
            "wait_time_seconds": LONG_POLL_SECONDS,
            "is_secure": not is_plain,
        }
    return options


def _client_config(seconds: float) -> Options:
    return {"connect_timeout": 1, "read_timeout": seconds, "retries": {"total_max_attempts": 1}}
