"""Resources of IAM policies: the ARNs of everything that the commands use."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from adapters.aws.route.definition import Route, replay_prefix
from adapters.aws.transcribe.order import NAME_PREFIX
from domain.model.route.route import RouteNames

Condition = dict[str, dict[str, object]]

ALIAS = "alias/"


class S3Place(NamedTuple):
    """A bucket and the prefix of our keys in it, as an operator writes it."""

    bucket: str
    prefix: str = ""


class KeyResource(NamedTuple):
    """A key in a policy: an alias is not a resource, but a condition on the key that it names."""

    arn: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class PolicyResources:
    """All resources in one account and region; its properties are ARNs or ARN patterns."""

    names: RouteNames
    partition: str  # the AWS partition, such as "aws"
    region: str
    account: str
    payload_bucket: str | None = None  # bucket of large transcripts; None where there is none
    # id, ARN or alias of the key that encrypts both queues; None for SQS's own encryption
    key: str | None = None
    # bucket of sound for Amazon Transcribe; None where another engine is chosen
    transcribe_bucket: str | None = None
    letters: S3Place | None = None  # archive of dead letters in S3; None where there is none
    others: tuple[RouteNames, ...] = ()  # routes of further kinds of events on the same bus
    recordings: S3Place | None = None  # store of recordings; None where it is a folder
    sources: tuple[S3Place, ...] = ()  # places from which recordings are fetched
    has_topic: bool = False  # whether a topic takes the place of bus and rules

    @property
    def bus(self) -> str:
        """ARN of the bus."""
        return self._arn("events", f"event-bus/{self.names.bus}")

    @property
    def topic(self) -> str:
        """ARN of the topic."""
        return self._arn("sns", self.names.topic)

    @property
    def route(self) -> Route:
        """The route on that bus, with its ARNs."""
        return Route(self.names, self.bus)

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route on that bus, the first one included."""
        return (self.route, *(Route(names, self.bus) for names in self.others))

    @property
    def rules(self) -> list[str]:
        """ARNs of the rules of all routes."""
        return [route.rule_arn for route in self.routes]

    @property
    def queues(self) -> list[str]:
        """ARNs of the queues of all routes, without dead-letter queues."""
        return [route.queue_arn for route in self.routes]

    @property
    def dead_letter_queues(self) -> list[str]:
        """ARNs of the dead-letter queues of all routes."""
        return [route.dead_letter_queue_arn for route in self.routes]

    @property
    def all_queues(self) -> list[str]:
        """ARNs of the queues and the dead-letter queues of all routes."""
        return [arn for pair in zip(self.queues, self.dead_letter_queues, strict=True) for arn in pair]

    @property
    def archive(self) -> str:
        """ARN of the archive of events."""
        return self._arn("events", f"archive/{self.names.archive}")

    @property
    def replays(self) -> str:
        """ARN pattern of the replays that the commands start."""
        return self._arn("events", f"replay/{replay_prefix(self.names)}*")

    @property
    def transcription_jobs(self) -> str:
        """ARN pattern of the jobs that the service starts."""
        return self._arn("transcribe", f"transcription-job/{NAME_PREFIX}*")

    @property
    def key_resource(self) -> KeyResource | None:
        """The key of the queues; None for SQS's own encryption."""
        if self.key is None:
            return None
        place, _, name = self.key.rpartition(":")
        place = place or self._arn("kms", "").removesuffix(":")
        if name.startswith(ALIAS):
            condition: Condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": name}}
            return KeyResource(f"{place}:key/*", condition)
        return KeyResource(f"{place}:key/{name.removeprefix('key/')}", {})

    def objects(self, place: S3Place) -> str:
        """Build the ARN pattern of the objects under the prefix."""
        return f"{self.in_s3(place.bucket)}/{literally(folder(place.prefix))}*"

    def in_s3(self, path: str) -> str:
        """Build the ARN of a bucket or an object; neither names a region or an account."""
        return f"arn:{self.partition}:s3:::{path}"

    def _arn(self, service: str, path: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{path}"


def folder(prefix: str) -> str:
    """End the prefix with one slash; an empty prefix stays empty."""
    bare = prefix.strip("/")
    return f"{bare}/" if bare else ""


def literally(text: str) -> str:
    """Escape the characters that a policy reads as a pattern or a variable."""
    return re.sub(r"[$*?]", lambda found: f"${{{found[0]}}}", text)
