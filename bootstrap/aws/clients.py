"""AWS sessions and clients, built in one place.

Clients are safe to share between threads; sessions are not, so that one thread at a time makes clients of
them.
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
"""For clients that do one thing again and again: publish, or receive and delete.

What botocore would check of each parameter, we hold by its type, and a user agent of our own need not be put
together for each call. Both together are a third of what a call costs.
"""

PUBLISHING = Config(
    connect_timeout=1,
    read_timeout=1.5,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
    max_pool_connections=64,
)
"""Somebody waits for an answer: a bus that is away must be given up soon."""

RELAYING = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 1},
    tcp_keepalive=True,
)
"""Nobody waits, and the relay itself decides when to try again: it has to see every failure."""

OPERATING = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)
"""An operator waits, and would rather have a result."""

LONG_POLLING = OPERATING.merge(Config(read_timeout=25))
"""A queue keeps a receiver waiting for up to 20 seconds."""

_ONE_AT_A_TIME = Lock()

METADATA_CONNECT_SECONDS = 0.25
METADATA_READ_SECONDS = 1


@dataclass(frozen=True)
class AwsAccess:
    """Which AWS is meant. Who we are is the default credential chain's business (requirement 9.4).

    Attributes:
        region: such as "eu-central-1".
        endpoint_url: LocalStack, moto or another endpoint; None for AWS itself.
    """

    region: str
    endpoint_url: str | None = None

    @cached_property
    def session(self) -> boto3.Session:
        """What all clients are made of: they share its credentials, and what it read of each service."""
        session = get_session()
        if _is_loopback(self.endpoint_url):  # a proxy would look for it on its own machine
            session.set_default_client_config(Config(proxies={}))
        return boto3.Session(region_name=self.region, botocore_session=session)


def publishing_client(access: AwsAccess) -> "EventBridgeClient":
    """For publishing while a request waits."""
    with _making_a_client():
        return access.session.client(
            "events", endpoint_url=access.endpoint_url, config=PUBLISHING.merge(LEAN)
        )


def relaying_client(access: AwsAccess, *, threads: int) -> "EventBridgeClient":
    """For publishing from so many threads at once."""
    config = RELAYING.merge(LEAN).merge(Config(max_pool_connections=threads))
    with _making_a_client():
        return access.session.client("events", endpoint_url=access.endpoint_url, config=config)


def events_client(access: AwsAccess) -> "EventBridgeClient":
    """For the operator's tools."""
    with _making_a_client():
        return access.session.client("events", endpoint_url=access.endpoint_url, config=OPERATING)


def sqs_client(access: AwsAccess) -> "SQSClient":
    """For the operator's tools; fit for long polling."""
    with _making_a_client():
        return access.session.client("sqs", endpoint_url=access.endpoint_url, config=LONG_POLLING)


def consuming_client(access: AwsAccess, *, threads: int) -> "SQSClient":
    """For receiving and deleting from so many threads at once, and for the one that renews."""
    config = LONG_POLLING.merge(LEAN).merge(Config(max_pool_connections=threads + 1))
    with _making_a_client():
        return access.session.client("sqs", endpoint_url=access.endpoint_url, config=config)


def kms_client(access: AwsAccess) -> "KMSClient":
    """For the operator's tools."""
    with _making_a_client():
        return access.session.client("kms", endpoint_url=access.endpoint_url, config=OPERATING)


def cloudwatch_client(access: AwsAccess) -> "CloudWatchClient":
    """For the operator's tools."""
    with _making_a_client():
        return access.session.client("cloudwatch", endpoint_url=access.endpoint_url, config=OPERATING)


def sts_client(access: AwsAccess) -> "STSClient":
    """For the operator's tools: who these credentials belong to."""
    with _making_a_client():
        return access.session.client("sts", endpoint_url=access.endpoint_url, config=OPERATING)


def partition_of(access: AwsAccess) -> str:
    """What ARNs of the region begin with after `arn:`; "aws" but for China and the governments' regions."""
    with _making_a_client():
        return access.session.get_partition_for_region(access.region)


def s3_client(access: AwsAccess) -> "S3Client":
    """For large transcripts; addresses objects by path at endpoints that are not AWS's."""
    config = PUBLISHING.merge(Config(read_timeout=10, s3={"addressing_style": _addressing_style(access)}))
    with _making_a_client():
        return access.session.client("s3", endpoint_url=access.endpoint_url, config=config)


def credentials_found(session: Session | None = None) -> bool:
    """Whether the default credential chain finds credentials, without waiting for what is not there.

    The chain's last link, an instance's metadata service, is asked only where something listens at its
    address: elsewhere botocore would wait for it for seconds.

    Raises:
        ConfigurationError: credentials are configured, but cannot be used as they are.
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


def _addressing_style(access: AwsAccess) -> Literal["path", "auto"]:
    return "path" if access.endpoint_url else "auto"


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
    except BotoCoreError as error:  # botocore asks through a proxy, where there is one
        logger.warning(
            "the instance metadata service could not be asked for a role; add its address to NO_PROXY",
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
            f"The AWS configuration cannot be used ({type(error).__name__}): {error}"
        ) from error


def _unknown_profile() -> str:
    profile, known = os.environ.get("AWS_PROFILE", ""), Session(profile="default").available_profiles
    nearest = get_close_matches(profile, known, n=1)
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return f"AWS_PROFILE={profile!r} is not a profile of this machine, which has {known or 'none'}{hint}."
