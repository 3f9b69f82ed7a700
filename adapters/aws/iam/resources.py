"""What IAM policies speak of: the ARNs of everything that the commands touch."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from adapters.aws.route.definition import Route, replay_prefix
from domain.model.route.route import RouteNames

Condition = dict[str, dict[str, object]]

ALIAS = "alias/"


class S3Place(NamedTuple):
    """A bucket, and what the keys of ours in it begin with, as an operator writes it."""

    bucket: str
    prefix: str = ""


class KeyResource(NamedTuple):
    """A key as policies name it: an alias is no resource, but a condition on the key behind it."""

    arn: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class PolicyResources:
    """Everything in one account and region; its properties are ARNs, or patterns of ARNs.

    Attributes:
        partition: such as "aws".
        payload_bucket: for large transcripts; None where there is none.
        key: id, ARN or alias of the key that encrypts both queues; None for SQS's own encryption.
        letters: where dead letters are archived in S3; None where they are not.
    """

    names: RouteNames
    partition: str
    region: str
    account: str
    payload_bucket: str | None = None
    key: str | None = None
    letters: S3Place | None = None

    @property
    def bus(self) -> str:
        """The bus."""
        return self._arn("events", f"event-bus/{self.names.bus}")

    @property
    def route(self) -> Route:
        """The route on that bus, which knows its own ARNs."""
        return Route(self.names, self.bus)

    @property
    def archive(self) -> str:
        """The archive of the events."""
        return self._arn("events", f"archive/{self.names.archive}")

    @property
    def replays(self) -> str:
        """Every replay that is begun from here."""
        return self._arn("events", f"replay/{replay_prefix(self.names)}*")

    @property
    def key_resource(self) -> KeyResource | None:
        """The queues' key."""
        if self.key is None:
            return None
        place, _, name = self.key.rpartition(":")
        place = place or self._arn("kms", "").removesuffix(":")
        if name.startswith(ALIAS):
            condition: Condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": name}}
            return KeyResource(f"{place}:key/*", condition)
        return KeyResource(f"{place}:key/{name.removeprefix('key/')}", {})

    def objects(self, place: S3Place) -> str:
        """The objects below the place."""
        return f"{self.in_s3(place.bucket)}/{literally(folder(place.prefix))}*"

    def in_s3(self, path: str) -> str:
        """A bucket, or an object in it; they belong to no region and name no account."""
        return f"arn:{self.partition}:s3:::{path}"

    def _arn(self, service: str, path: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{path}"


def folder(prefix: str) -> str:
    """The prefix with one slash at its end; empty where there is none."""
    bare = prefix.strip("/")
    return f"{bare}/" if bare else ""


def literally(text: str) -> str:
    """The text with everything escaped that a policy reads as a pattern or a variable."""
    return re.sub(r"[$*?]", lambda found: f"${{{found[0]}}}", text)
