"""AWS sessions and clients.

Clients may be shared between threads; sessions may not, so that one thread at a time builds clients.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import ip_address
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypedDict, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.session import Session, get_session

from adapters.aws.answers import check_answers
from bootstrap.aws.credentials import CheckedResolver, naming_what_is_wrong
from bootstrap.aws.timeouts import DEFAULT_TIMEOUT_SECONDS, MAX_CONNECT_SECONDS, TRIES

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient
    from types_boto3_transcribe import TranscribeServiceClient

LEAN = Config(parameter_validation=False, user_agent=f"batch-transcription Boto3/{boto3.__version__}")
"""Fast calls, for clients that publish, or receive and delete.

Our types replace botocore's validation of parameters, and a fixed user agent need not be built for each call.
Both together save a third of a call's time.
"""

PUBLISHING = Config(
    connect_timeout=1,
    read_timeout=1.5,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
    max_pool_connections=64,
)
"""Short time-outs: a request waits for the answer."""

RELAYING = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 1},
    tcp_keepalive=True,
)
"""Long time-outs and no retries: no request waits, and the relay, which retries, must see each failure."""

STORING = PUBLISHING.merge(Config(read_timeout=4, retries={"mode": "standard", "total_max_attempts": 1}))
"""One try to store transcripts, within the lease of an event for which a request waits."""

STORING_PATIENTLY = STORING.merge(Config(read_timeout=10))
"""The same for the relay, whose leases allow for it."""

LONG_POLL_SECONDS = 20
"""Time that a queue may hold a receive call."""

_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class AwsAccess:
    """Region and endpoints of AWS; credentials come from the default chain (requirement 9.4)."""

    region: str  # such as "eu-central-1"
    endpoint_url: str | None = None  # of services for which botocore finds none; None for AWS itself
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS  # longest wait of an operator's command for one call

    @property
    def operating(self) -> Config:
        """Configuration for an operator's command: retries that share the time of the call."""
        seconds = self.timeout_seconds / TRIES
        return Config(
            connect_timeout=min(seconds, MAX_CONNECT_SECONDS),
            read_timeout=seconds,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            tcp_keepalive=True,
        )

    @property
    def long_polling(self) -> Config:
        """Configuration for receive calls, which a queue may hold."""
        seconds = self.timeout_seconds / TRIES + LONG_POLL_SECONDS
        return self.operating.merge(Config(read_timeout=seconds))

    @cached_property
    def botocore_session(self) -> Session:
        """Session that reads `~/.aws`, and checks the credentials that it finds."""
        session = get_session()
        session.register_component("credential_provider", CheckedResolver(session))
        return session

    @cached_property
    def session(self) -> boto3.Session:
        """Session of all clients, which share its credentials and its service models."""
        return boto3.Session(region_name=self.region, botocore_session=self.botocore_session)

    def endpoint_of(self, service: str) -> str | None:
        """Return the endpoint of a service by botocore's rules; None for AWS itself.

        In this order: `AWS_ENDPOINT_URL_SERVICE`, `AWS_ENDPOINT_URL`, and both in the profile; none of them
        where `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is true (SDKs and Tools Reference Guide, "Service-specific
        endpoints").
        """
        session = self.botocore_session
        if session.get_config_variable("ignore_configured_endpoint_urls"):
            return None
        rules = ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), service)
        return rules.provide() or self.endpoint_url


def publishing_client(access: AwsAccess) -> "EventBridgeClient":
    """Build a client that publishes while a request waits."""
    with _making("events", access, PUBLISHING.merge(LEAN)) as options:
        return _checked(access.session.client("events", **options))


def relaying_client(access: AwsAccess, *, threads: int) -> "EventBridgeClient":
    """Build a client of the relay, with one connection for each thread."""
    config = RELAYING.merge(LEAN).merge(Config(max_pool_connections=threads))
    with _making("events", access, config) as options:
        return _checked(access.session.client("events", **options))


def sns_publishing_client(access: AwsAccess) -> "SNSClient":
    """Build a client that publishes to a topic while a request waits."""
    return _sns_client(access, PUBLISHING.merge(LEAN))


def sns_relaying_client(access: AwsAccess, *, threads: int) -> "SNSClient":
    """Build a client of the relay for a topic, with one connection for each thread."""
    return _sns_client(access, RELAYING.merge(LEAN).merge(Config(max_pool_connections=threads)))


def sns_client(access: AwsAccess) -> "SNSClient":
    """Build a client for the operator's commands."""
    return _sns_client(access, access.operating)


def _sns_client(access: AwsAccess, config: Config) -> "SNSClient":
    with _making("sns", access, config) as options:
        return _checked(access.session.client("sns", **options))


def events_client(access: AwsAccess) -> "EventBridgeClient":
    """Build a client for the operator's commands."""
    with _making("events", access, access.operating) as options:
        return _checked(access.session.client("events", **options))


def sqs_client(access: AwsAccess) -> "SQSClient":
    """Build a client for the operator's commands."""
    with _making("sqs", access, access.operating) as options:
        return _checked(access.session.client("sqs", **options))


def polling_client(access: AwsAccess) -> "SQSClient":
    """Build a client for the receive calls of the operator's commands."""
    with _making("sqs", access, access.long_polling) as options:
        return _checked(access.session.client("sqs", **options))


def consuming_client(access: AwsAccess, *, threads: int) -> "SQSClient":
    """Build a client for the receive calls of a consumer, with a connection for each thread and one more."""
    config = access.long_polling.merge(LEAN).merge(Config(max_pool_connections=threads + 1))
    with _making("sqs", access, config) as options:
        return _checked(access.session.client("sqs", **options))


def settling_client(access: AwsAccess, *, threads: int) -> "SQSClient":
    """Build a client for a consumer's other calls, with a connection for each thread and the heartbeat."""
    config = access.operating.merge(LEAN).merge(Config(max_pool_connections=threads + 1))
    with _making("sqs", access, config) as options:
        return _checked(access.session.client("sqs", **options))


def kms_client(access: AwsAccess) -> "KMSClient":
    """Build a client for the operator's commands."""
    with _making("kms", access, access.operating) as options:
        return _checked(access.session.client("kms", **options))


def cloudwatch_client(access: AwsAccess) -> "CloudWatchClient":
    """Build a client for the operator's commands."""
    with _making("cloudwatch", access, access.operating) as options:
        return _checked(access.session.client("cloudwatch", **options))


def sts_client(access: AwsAccess, *, timeout_seconds: float | None = None) -> "STSClient":
    """Build a client that finds the account of the credentials, within the usual time or another."""
    within = replace(access, timeout_seconds=timeout_seconds or access.timeout_seconds)
    with _making("sts", access, within.operating) as options:
        return _checked(access.session.client("sts", **options))


def partition_of(access: AwsAccess) -> str:
    """Return the partition in the region's ARNs: "aws", except in China and the government regions."""
    with _ONE_AT_A_TIME, naming_what_is_wrong():
        return access.session.get_partition_for_region(access.region)


def storing_client(access: AwsAccess) -> "S3Client":
    """Build a client that stores large transcripts while a request waits for their event."""
    return _s3_client(access, STORING)


def patiently_storing_client(access: AwsAccess) -> "S3Client":
    """Build a client of the relay that stores large transcripts."""
    return _s3_client(access, STORING_PATIENTLY)


def s3_client(access: AwsAccess) -> "S3Client":
    """Build a client that reads and erases large transcripts, and stores dead letters."""
    return _s3_client(access, PUBLISHING.merge(Config(read_timeout=10)))


def sound_client(access: AwsAccess) -> "S3Client":
    """Build a client that stores sound of hours; no request waits for it, so that it is patient."""
    return _s3_client(access, access.operating)


def recordings_client(access: AwsAccess) -> "S3Client":
    """Build a client that stores and fetches whole recordings, many at the same time."""
    return _s3_client(access, access.operating.merge(Config(max_pool_connections=64)))


def _s3_client(access: AwsAccess, config: Config) -> "S3Client":
    """Build a client that uses path addressing with endpoints other than AWS."""
    with _making("s3", access, config) as options:
        style: Literal["path", "auto"] = "path" if options["endpoint_url"] else "auto"
        options["config"] = options["config"].merge(Config(s3={"addressing_style": style}))
        return _checked(access.session.client("s3", **options))


def transcribe_client(access: AwsAccess) -> "TranscribeServiceClient":
    """Build a client that starts and follows transcription jobs."""
    with _making("transcribe", access, access.operating) as options:
        return _checked(access.session.client("transcribe", **options))


def _is_loopback(endpoint_url: str | None) -> bool:
    host = (urlsplit(endpoint_url or "").hostname or "").rstrip(".")
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return f".{host}".endswith((".localhost", ".localhost.localstack.cloud"))


class _Options(TypedDict):
    endpoint_url: str | None
    config: Config


@contextmanager
def _making(service: str, access: AwsAccess, config: Config) -> Iterator[_Options]:
    """Provide the options of a new client; an endpoint on this machine is called without a proxy.

    A proxy would connect to its own machine.
    """
    with _ONE_AT_A_TIME, naming_what_is_wrong():
        endpoint = access.endpoint_of(service)
        direct = config.merge(Config(proxies={})) if _is_loopback(endpoint) else config
        yield {"endpoint_url": endpoint, "config": direct}


Client = TypeVar("Client", bound=BaseClient)


def _checked(client: Client) -> Client:
    check_answers(client)
    return client
