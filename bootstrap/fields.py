"""Types of the settings' fields: the values that they may have, and what an error says about them."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo

from bootstrap.choices import Authentication, EventTexts, IdentityMode
from bootstrap.transports import transport_name
from domain.model.events.kinds import EventKind, parse_kinds
from domain.model.identity import is_printable, uuid4_or_none


def _printable(text: str) -> str:
    if not is_printable(text):
        raise ValueError("must be short and printable")
    return text


def _folder(path: Path) -> Path:
    # the path becomes part of the database's URL, and no shell expands it
    if set("?%") & set(str(path)) or str(path).startswith("~"):
        raise ValueError("must be the path of a folder, without ?, % and a leading ~")
    return path


def _prefix(text: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", text):
        raise ValueError("must be a path, such as /speech")
    return text.rstrip("/")


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return text


def _broker(url: SecretStr) -> SecretStr:
    schemes = ("redis://", "rediss://", "amqp://", "amqps://", "sqs://")
    if not url.get_secret_value().startswith(schemes) or ";" in url.get_secret_value():
        raise ValueError(f"must be the URL of one Celery broker: {', '.join(schemes)}")
    return url


def _nats_urls(urls: SecretStr) -> SecretStr:
    schemes = ("nats://", "tls://")
    if not all(each.strip().startswith(schemes) for each in urls.get_secret_value().split(",")):
        raise ValueError("must be one or more URLs, separated by commas: nats://host:4222 or tls://host:4222")
    return urls


def _nats_subject(subject: str) -> str:
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*", subject.replace("{detail_type}", "type")):
        raise ValueError("must be words with dots between them, such as transcripts.{detail_type}")
    return subject


def _amqp_url(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("amqp://", "amqps://")):
        raise ValueError("must begin with amqp:// or amqps://")
    return url


def _folder_or_bucket(place: str) -> str:
    if "://" in place and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w./-]*)?", place):
        raise ValueError("must be a folder, or s3://bucket/prefix")
    return place


def _source_buckets(places: object) -> object:
    """Split `acme-calls,shared-recordings/incoming/` into buckets with their prefixes."""
    if not isinstance(places, str):
        return places
    names = tuple(place.strip() for place in places.split(",") if place.strip())
    for name in names:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\0-\x1f]*)?", name):
            raise ValueError(
                f"{name!r} is not a bucket with or without a prefix, such as acme-calls/incoming/"
            )
    return names


def _networks(networks: object) -> object:
    """Split `10.1.0.0/16,fd12::/32` into networks."""
    if not isinstance(networks, str):
        return networks
    return tuple(ip_network(each.strip()) for each in networks.split(",") if each.strip())


def _authentication(value: object) -> object:
    """Read `key, token` as `token,key`."""
    if not isinstance(value, str):
        return value
    return ",".join(sorted((each.strip().lower() for each in value.split(",")), reverse=True))


def _of_the_gateway(
    networks: tuple[IPv4Network | IPv6Network, ...], info: ValidationInfo
) -> tuple[IPv4Network | IPv6Network, ...]:
    """Refuse a gateway that every peer could be."""
    if info.data.get("auth") is Authentication.GATEWAY and not networks:
        raise ValueError("must list the addresses of the gateway, such as 10.1.0.0/24, with AUTH=gateway")
    if any(not network.prefixlen for network in networks):
        raise ValueError(
            "must list the addresses of the gateway; a network of all addresses trusts every peer"
        )
    return networks


SIGNATURE_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Algorithms with a public key; one with a shared secret would let each holder of it make tokens."""


def _algorithms(names: object) -> object:
    """Split `RS256,ES256` into algorithms, whose names are case-sensitive."""
    if not isinstance(names, str):
        return names
    found = tuple(dict.fromkeys(each.strip() for each in names.split(",") if each.strip()))
    if not found or set(found) - set(SIGNATURE_ALGORITHMS):
        raise ValueError(f"must be some of {', '.join(SIGNATURE_ALGORITHMS)}")
    return found


def _key(key: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", key.get_secret_value()):
        raise ValueError("must be one word of ASCII characters")
    return key


def _differs_from_queue(name: str, info: ValidationInfo) -> str:
    if name == info.data.get("queue_name"):
        raise ValueError("must differ from QUEUE_NAME: dead letters need a separate queue")
    return name


def _of_its_own(name: str, info: ValidationInfo) -> str:
    """Refuse the name of another kind's rule or queue: a consumer of one kind refuses all others."""
    kind, _, variable = str(info.field_name).partition("_")
    for field, other in info.data.items():
        same = field.endswith("rule_name") if variable == "rule_name" else field.endswith(_QUEUE_NAMES)
        if same and name == other:
            raise ValueError(f"must differ from {field.upper()}: {kind} events have a route of their own")
    return name


_QUEUE_NAMES = ("queue_name", "dlq_name")


def _kinds(value: object) -> object:
    return parse_kinds(value) if isinstance(value, str) else value


def _with_completed(kinds: tuple[EventKind, ...]) -> tuple[EventKind, ...]:
    if EventKind.COMPLETED not in kinds:
        raise ValueError("must have completed: every finished recording is announced")
    return kinds


def _with_payload_bucket(texts: EventTexts, info: ValidationInfo) -> EventTexts:
    if texts is EventTexts.REFERENCE and info.data.get("payload_bucket", "") is None:
        raise ValueError("must have a bucket for the texts: set PAYLOAD_BUCKET")
    return texts


def _named_tenant(tenant: str, info: ValidationInfo) -> str:
    """Refuse a wrong tenant if identities are strict, else let each request warn of it (requirement 2.10)."""
    if info.data.get("identity") is IdentityMode.STRICT and uuid4_or_none(tenant.strip()) is None:
        raise ValueError("must be a UUID v4 with IDENTITY=strict")
    return tenant.strip()


def _speakers(count: int) -> int:
    if count == 1:
        raise ValueError("must be 2 or more, or 0")
    return count


# Error messages quote the description of a value that cannot be parsed.
Region = Annotated[
    str, Field(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d+$", description="a region, such as eu-central-1")
]
Name = Annotated[
    str,
    AfterValidator(_printable),
    Field(pattern=r"^[A-Za-z0-9._/-]{1,256}$", description="up to 256 letters, digits and . _ - /"),
]
Queue = Annotated[
    str,
    Field(pattern=r"^[a-z0-9_-]{1,16}$", description="1 to 16 small letters, digits, - or _, such as cpu"),
]
Broker = Annotated[SecretStr, AfterValidator(_broker)]  # the URL may have a password
NatsUrls = Annotated[SecretStr, AfterValidator(_nats_urls)]  # may have passwords or tokens
NatsSubject = Annotated[str, AfterValidator(_nats_subject)]
AmqpUrl = Annotated[SecretStr, AfterValidator(_amqp_url)]  # has a password
KafkaTopic = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$", description="up to 249 letters, digits and . _ -")
]
Place = Annotated[str, AfterValidator(_folder_or_bucket)]
SourceBuckets = Annotated[tuple[str, ...], BeforeValidator(_source_buckets)]
Algorithms = Annotated[tuple[str, ...], BeforeValidator(_algorithms)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]
Proxies = Annotated[Networks, AfterValidator(_of_the_gateway)]
Auth = Annotated[Authentication, BeforeValidator(_authentication)]
QueueName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$", description="up to 80 letters, digits and - _")
]
BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
RuleName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="up to 64 letters, digits and . - _")
]
TopicName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,256}$", description="up to 256 letters, digits and - _")
]
ArchiveName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]{1,48}$", description="up to 48 letters, digits and . - _")
]
KmsKey = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9:/_-]{1,2048}$",
        description="the id, the ARN or the alias of a key, such as alias/transcripts",
    ),
]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False, description="seconds, such as 2")]
Bytes = Annotated[int, Field(description="whole bytes, such as 1000000")]
Days = Annotated[float, Field(ge=0, allow_inf_nan=False, description="days, such as 7 or 0.5")]
Count = Annotated[int, Field(description="a whole number, such as 2")]
Printable = Annotated[str, AfterValidator(_printable)]
Folder = Annotated[Path, AfterValidator(_folder)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Url = Annotated[str, AfterValidator(_url)]
Key = Annotated[SecretStr, AfterValidator(_key)]
DeadLetterQueueName = Annotated[QueueName, AfterValidator(_differs_from_queue)]
OtherRuleName = Annotated[RuleName, AfterValidator(_of_its_own)]
OtherQueueName = Annotated[QueueName, AfterValidator(_of_its_own)]
TransportName = Annotated[str, BeforeValidator(transport_name)]
EventKinds = Annotated[tuple[EventKind, ...], BeforeValidator(_kinds), AfterValidator(_with_completed)]
Texts = Annotated[EventTexts, AfterValidator(_with_payload_bucket)]
TenantId = Annotated[str, AfterValidator(_named_tenant)]
Speakers = Annotated[Count, AfterValidator(_speakers)]
