"""AWS sessions and clients.

Clients may be shared between threads; sessions may not, so that one thread at a time builds clients.
"""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from ipaddress import ip_address
from threading import Lock
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.credentials import InstanceMetadataProvider, create_credential_resolver
from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.session import Session, get_session
from botocore.utils import InstanceMetadataFetcher, resolve_imds_endpoint_mode

from bootstrap.aws.timeouts import DEFAULT_TIMEOUT_SECONDS, MAX_CONNECT_SECONDS, TRIES
from domain.model.errors import ConfigurationError

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

logger = logging.getLogger(__name__)

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

LONG_POLL_SECONDS = 20
"""Time that a queue may hold a receive call."""

_ONE_AT_A_TIME = Lock()

METADATA_CONNECT_SECONDS = 0.25
METADATA_READ_SECONDS = 1


@dataclass(frozen=True)
class AwsAccess:
    """Region and endpoint of AWS; credentials come from the default chain (requirement 9.4)."""

    region: str  # such as "eu-central-1"
    endpoint_url: str | None = None  # LocalStack, moto or another endpoint; None for AWS itself
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
    def session(self) -> boto3.Session:
        """Session of all clients, which share its credentials and its service models."""
        session = get_session()
        if _is_loopback(self.endpoint_url):  # a proxy would connect to its own machine
            session.set_default_client_config(Config(proxies={}))
        return boto3.Session(region_name=self.region, botocore_session=session)


def publishing_client(access: AwsAccess) -> "EventBridgeClient":
    """Build a client that publishes while a request waits."""
    with _making_a_client():
        return access.session.client(
            "events", endpoint_url=access.endpoint_url, config=PUBLISHING.merge(LEAN)
        )


def relaying_client(access: AwsAccess, *, threads: int) -> "EventBridgeClient":
    """Build a client of the relay, with one connection for each thread."""
    config = RELAYING.merge(LEAN).merge(Config(max_pool_connections=threads))
    with _making_a_client():
        return access.session.client("events", endpoint_url=access.endpoint_url, config=config)


def events_client(access: AwsAccess) -> "EventBridgeClient":
    """Build a client for the operator's commands."""
    with _making_a_client():
        return access.session.client("events", endpoint_url=access.endpoint_url, config=access.operating)


def sqs_client(access: AwsAccess) -> "SQSClient":
    """Build a client for the operator's commands."""
    with _making_a_client():
        return access.session.client("sqs", endpoint_url=access.endpoint_url, config=access.operating)


def polling_client(access: AwsAccess) -> "SQSClient":
    """Build a client for the receive calls of the operator's commands."""
    with _making_a_client():
        return access.session.client("sqs", endpoint_url=access.endpoint_url, config=access.long_polling)


def consuming_client(access: AwsAccess, *, threads: int) -> "SQSClient":
    """Build a client for the receive calls of a consumer, with a connection for each thread and one more."""
    config = access.long_polling.merge(LEAN).merge(Config(max_pool_connections=threads + 1))
    with _making_a_client():
        return access.session.client("sqs", endpoint_url=access.endpoint_url, config=config)


def settling_client(access: AwsAccess, *, threads: int) -> "SQSClient":
    """Build a client for a consumer's other calls, with a connection for each thread and the heartbeat."""
    config = access.operating.merge(LEAN).merge(Config(max_pool_connections=threads + 1))
    with _making_a_client():
        return access.session.client("sqs", endpoint_url=access.endpoint_url, config=config)


def kms_client(access: AwsAccess) -> "KMSClient":
    """Build a client for the operator's commands."""
    with _making_a_client():
        return access.session.client("kms", endpoint_url=access.endpoint_url, config=access.operating)


def cloudwatch_client(access: AwsAccess) -> "CloudWatchClient":
    """Build a client for the operator's commands."""
    with _making_a_client():
        return access.session.client("cloudwatch", endpoint_url=access.endpoint_url, config=access.operating)


def sts_client(access: AwsAccess) -> "STSClient":
    """Build a client that finds the account of the credentials."""
    with _making_a_client():
        return access.session.client("sts", endpoint_url=access.endpoint_url, config=access.operating)


def partition_of(access: AwsAccess) -> str:
    """Return the partition in the region's ARNs: "aws", except in China and the government regions."""
    with _making_a_client():
        return access.session.get_partition_for_region(access.region)


def s3_client(access: AwsAccess) -> "S3Client":
    """Build a client that stores large transcripts; it uses path addressing with endpoints other than AWS."""
    style: Literal["path", "auto"] = "path" if access.endpoint_url else "auto"
    config = PUBLISHING.merge(Config(read_timeout=10, s3={"addressing_style": style}))
    with _making_a_client():
        return access.session.client("s3", endpoint_url=access.endpoint_url, config=config)


def credentials_found(session: Session | None = None) -> bool:
    """Check that the default credential chain finds credentials, without a long time-out.

    The last provider of the chain, an instance's metadata service, is asked only where its address accepts
    connections: elsewhere botocore would wait for seconds.

    Raises:
        ConfigurationError: the configured credentials are invalid.
    """
    session = session or Session()
    with _naming_what_is_wrong():
        chain = create_credential_resolver(session)
        chain.remove(InstanceMetadataProvider.METHOD)
        return chain.load_credentials() is not None or _instance_has_a_role(session)


def _is_loopback(endpoint_url: str | None) -> bool:
    host = (urlsplit(endpoint_url or "").hostname or "").rstrip(".")
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return f".{host}".endswith((".localhost", ".localhost.localstack.cloud"))


def _instance_has_a_role(session: Session) -> bool:
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "false").lower() == "true":
        return False
    fetcher = InstanceMetadataFetcher(
        timeout=METADATA_READ_SECONDS,
        num_attempts=1,
        user_agent=session.user_agent(),
        config={
            "ec2_metadata_service_endpoint": session.get_config_variable("ec2_metadata_service_endpoint"),
            "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(session),
        },
    )
    try:
        return _listens(fetcher.get_base_url()) and bool(fetcher.retrieve_iam_role_credentials())
    except BotoCoreError as error:  # botocore calls it through a proxy, where one is configured
        logger.warning(
            "could not get a role from the instance metadata service; add its address to NO_PROXY",
            extra={"address": fetcher.get_base_url(), "error_type": type(error).__name__},
        )
        return False


def _listens(url: str) -> bool:
    address = urlsplit(url)
    with suppress(OSError):
        socket.create_connection(
            (address.hostname or "", address.port or 80), timeout=METADATA_CONNECT_SECONDS
        ).close()
        return True
    return False


@contextmanager
def _making_a_client() -> Iterator[None]:
    with _ONE_AT_A_TIME, _naming_what_is_wrong():
        yield


@contextmanager
def _naming_what_is_wrong() -> Iterator[None]:
    try:
        yield
    except ProfileNotFound:
        raise ConfigurationError(_unknown_profile()) from None
    except BotoCoreError as error:
        raise ConfigurationError(
            f"The AWS configuration is invalid ({type(error).__name__}): {error}"
        ) from error


def _unknown_profile() -> str:
    profile, known = os.environ.get("AWS_PROFILE", ""), Session(profile="default").available_profiles
    nearest = get_close_matches(profile, known, n=1)
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return f"AWS_PROFILE={profile!r} is not a profile of this machine, which has {known or 'none'}{hint}."
