"""The route on EventBridge and SQS: created where it is missing, never changed where it exists."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from adapters.aws.diagnosis import RouteDiagnosis
from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.route import (
    DEFAULT_BUS,
    Route,
    dead_letter_queue_attributes,
    event_pattern,
    queue_differences,
    rule_differences,
    target_differences,
    target_id,
)
from domain.model.errors import InfrastructureError
from domain.model.infrastructure import Difference, Finding, Link, Part, Provisioning, RouteNames
from ports.event_infrastructure_port import EventInfrastructurePort

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import TargetOutputTypeDef
    from types_boto3_kms import KMSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

TRIES = 5
PAUSE_SECONDS = 1.0
PASSING_CODES = frozenset(
    {
        "ConcurrentModificationException",  # somebody provisions at the same time
        "AWS.SimpleQueueService.NonExistentQueue",  # SQS may take a second to know what it just created
        "QueueDoesNotExist",
    }
)


class AwsEventInfrastructure(EventInfrastructurePort):
    """Dead-letter queue, queue, rule and target, called by the names of the route."""

    def __init__(
        self,
        events: "EventBridgeClient",
        sqs: "SQSClient",
        kms: "KMSClient",
        names: RouteNames,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._events = events
        self._sqs = sqs
        self._names = names
        self._pause = pause
        self._diagnosis = RouteDiagnosis(events, sqs, kms, names)

    def provision(self) -> Provisioning:
        """Create what is missing, in the requirements' order (7.1 to 7.4), and check everything (7.5)."""
        self._require_bus()
        names = self._names
        dead_letter_queue, dead_letter_url = self._ensure_queue(
            Link.DEAD_LETTER_QUEUE, names.dead_letter_queue, dead_letter_queue_attributes()
        )
        route = Route(names, self._attributes(dead_letter_url)["QueueArn"])
        queue, queue_url = self._ensure_queue(Link.QUEUE, names.queue, route.queue_attributes)
        parts = (dead_letter_queue, queue, self._ensure_rule(), self._ensure_target(route.queue_arn))
        return Provisioning(
            parts=parts,
            queue_address=queue_url,
            dead_letter_queue_address=dead_letter_url,
            rule_identifier=self._rule_arn(),
            findings=self._check(route, queue_url),
        )

    def diagnose(self) -> tuple[Finding, ...]:
        """Read the configuration of every link."""
        return self._diagnosis.findings()

    def _require_bus(self) -> None:
        """The default bus always exists; reading it may need a permission that nothing else needs."""
        if self._names.bus == DEFAULT_BUS:
            return
        with translate_infrastructure_errors(f"reading the event bus {self._names.bus}"):
            try:
                self._events.describe_event_bus(Name=self._names.bus)
            except self._events.exceptions.ResourceNotFoundException:
                raise InfrastructureError(
                    f"the event bus {self._names.bus} does not exist, and nothing was created: "
                    f"run `aws events create-event-bus --name {self._names.bus}`, or correct "
                    "EVENTBRIDGE_BUS_NAME or AWS_REGION"
                ) from None

    def _ensure_queue(
        self, link: Link, name: str, wanted: "dict[QueueAttributeNameType, str]"
    ) -> tuple[Part, str]:
        with translate_infrastructure_errors(f"provisioning the queue {name}"):
            url = self._queue_url(name)
            if url is None and (url := self._create_queue(name, wanted)):
                return _created(link, name), url
            url = url or self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            return _existing(link, name, queue_differences(wanted, self._attributes(url))), url

    def _queue_url(self, name: str) -> str | None:
        try:
            return self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except self._sqs.exceptions.QueueDoesNotExist:
            return None

    def _create_queue(self, name: str, attributes: "dict[QueueAttributeNameType, str]") -> str | None:
        """The new queue's URL, or None where somebody was faster and created it with other attributes."""
        try:
            return self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        except self._sqs.exceptions.QueueNameExists:
            return None
        except self._sqs.exceptions.QueueDeletedRecently:
            raise InfrastructureError(
                f"the queue {name} was deleted a moment ago, and SQS takes the name again only after "
                "60 seconds: wait 60 seconds and run `transcripts provision` again"
            ) from None

    def _attributes(self, url: str) -> Mapping[str, str]:
        def read() -> Mapping[str, str]:
            answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            return {str(name): value for name, value in answer["Attributes"].items()}

        with translate_infrastructure_errors(f"reading the queue {url}"):
            return self._patiently(read)

    def _ensure_rule(self) -> Part:
        name, bus, pattern = self._names.rule, self._names.bus, event_pattern(self._names)
        with translate_infrastructure_errors(f"provisioning the rule {name}"):
            try:
                found = self._events.describe_rule(Name=name, EventBusName=bus)
            except self._events.exceptions.ResourceNotFoundException:
                self._patiently(
                    lambda: self._events.put_rule(
                        Name=name, EventBusName=bus, EventPattern=pattern, State="ENABLED"
                    )
                )
                return _created(Link.RULE, name)
            return _existing(Link.RULE, name, rule_differences(pattern, found))

    def _ensure_target(self, queue_arn: str) -> Part:
        name = target_id(self._names)
        with translate_infrastructure_errors(f"provisioning the target of the rule {self._names.rule}"):
            for found in self._targets_by_likeness(queue_arn):
                if found["Arn"] == queue_arn or found["Id"] == name:
                    return _existing(Link.TARGET, found["Id"], target_differences(queue_arn, found))
            self._patiently(lambda: self._put_target(name, queue_arn))
            return _created(Link.TARGET, name)

    def _targets_by_likeness(self, queue_arn: str) -> "list[TargetOutputTypeDef]":
        """The rule's targets, those that send to our queue first."""
        answer = self._events.list_targets_by_rule(Rule=self._names.rule, EventBusName=self._names.bus)
        return sorted(answer.get("Targets", ()), key=lambda target: target["Arn"] != queue_arn)

    def _put_target(self, name: str, queue_arn: str) -> None:
        answer = self._events.put_targets(
            Rule=self._names.rule, EventBusName=self._names.bus, Targets=[{"Id": name, "Arn": queue_arn}]
        )
        for entry in answer.get("FailedEntries", ()):
            code, message = entry.get("ErrorCode", ""), entry.get("ErrorMessage", "")
            raise ClientError({"Error": {"Code": code, "Message": message}}, "PutTargets")

    def _rule_arn(self) -> str:
        with translate_infrastructure_errors(f"reading the rule {self._names.rule}"):
            return self._events.describe_rule(Name=self._names.rule, EventBusName=self._names.bus)["Arn"]

    def _check(self, route: Route, queue_url: str) -> tuple[Finding, ...]:
        """Read everything back (requirements 6.7 and 7.5)."""
        return (*self.diagnose(), *_redrive_findings(route, self._attributes(queue_url)))

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        """Try again what may work in a moment."""
        for _ in range(TRIES - 1):
            try:
                return call()
            except ClientError as error:
                if error.response["Error"]["Code"] not in PASSING_CODES:
                    raise
            self._pause(PAUSE_SECONDS)
        return call()


def _created(link: Link, name: str) -> Part:
    logger.info("created", extra={"part": link.value, "part_name": name})
    return Part(link, name, created=True)


def _existing(link: Link, name: str, differences: Iterable[Difference]) -> Part:
    """Requirement 7.6: skip it and warn."""
    part = Part(link, name, created=False, differences=tuple(differences))
    extra = {"part": link.value, "part_name": name, "differences": [d.attribute for d in part.differences]}
    logger.warning("exists already, creation skipped", extra=extra)
    return part


def _redrive_findings(route: Route, found: Mapping[str, str]) -> Iterator[Finding]:
    for difference in queue_differences(route.queue_attributes, found):
        if difference.attribute == "RedrivePolicy.deadLetterTargetArn":
            yield Finding(
                Link.DEAD_LETTER_QUEUE,
                "messages that fail do not go to the dead-letter queue",
                f"{difference.attribute} is {difference.found}",
                f"Set the queue's redrive policy to {route.queue_attributes['RedrivePolicy']}.",
            )
