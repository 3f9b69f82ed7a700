"""Types of the settings' fields: the values that they may have, and what an error says about them."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo

from bootstrap.choices import IdentityMode
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


def _recording_store(place: str) -> str:
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


def _key(key: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", key.get_secret_value()):
        raise ValueError("must be one word of ASCII characters")
    return key


def _differs_from_queue(name: str, info: ValidationInfo) -> str:
    if name == info.data.get("queue_name"):
        raise ValueError("must differ from QUEUE_NAME: dead letters need a separate queue")
    return name


def _of_its_own(name: str, info: ValidationInfo) -> str:
    """Refuse the name of another rule or queue: a consumer of completed events refuses failed ones."""
    kind = "rule_name" if info.field_name == "failed_rule_name" else "queue_name"
    for field in ("dlq_name", "failed_queue_name", kind):
        if field != info.field_name and name == info.data.get(field):
            raise ValueError(f"must differ from {field.upper()}: failed events have a route of their own")
    return name


def _kinds(value: object) -> object:
    return parse_kinds(value) if isinstance(value, str) else value


def _with_completed(kinds: tuple[EventKind, ...]) -> tuple[EventKind, ...]:
    if EventKind.COMPLETED not in kinds:
        raise ValueError("must have completed: every finished recording is announced")
    return kinds


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
RecordingStore = Annotated[str, AfterValidator(_recording_store)]
SourceBuckets = Annotated[tuple[str, ...], BeforeValidator(_source_buckets)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]
QueueName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$", description="up to 80 letters, digits and - _")
]
BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
RuleName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="up to 64 letters, digits and . - _")
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
FailedRuleName = Annotated[RuleName, AfterValidator(_of_its_own)]
FailedQueueName = Annotated[QueueName, AfterValidator(_of_its_own)]
EventKinds = Annotated[tuple[EventKind, ...], BeforeValidator(_kinds), AfterValidator(_with_completed)]
TenantId = Annotated[str, AfterValidator(_named_tenant)]
Speakers = Annotated[Count, AfterValidator(_speakers)]
