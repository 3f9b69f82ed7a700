"""Replays of the event archive on EventBridge."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.aws.errors import translate_infrastructure_errors
from adapters.aws.policy.evaluation import Decision, ServiceRequest, evaluate
from adapters.aws.replay.rules import ReplayRules, new_name
from adapters.aws.route.definition import Route
from domain.model.clock import utc_now
from domain.model.errors import InfrastructureError
from domain.model.replays import Replay, ReplayRequest, ReplayState
from domain.model.route.route import RouteNames
from ports.replay_port import ReplayPort

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import DescribeArchiveResponseTypeDef
    from types_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

RULE_SETTLES_SECONDS = 10.0
"""Delay before a new rule matches events ("Allow a short period of time", PutRule)."""


class EventBridgeReplays(ReplayPort):
    """Sends archived events to the route's rule, or to a separate rule for one tenant."""

    def __init__(
        self,
        events: "EventBridgeClient",
        sqs: "SQSClient",
        names: RouteNames,
        *,
        pause: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._events = events
        self._sqs = sqs
        self._names = names
        self._rules = ReplayRules(events, names)
        self._pause = pause
        self._now = now

    def start(self, request: ReplayRequest, /) -> str:
        """Start the replay, restricted to one rule."""
        with translate_infrastructure_errors(f"replaying the archive {self._names.archive}"):
            archive = self._archive()
            route = Route(self._names, archive["EventSourceArn"])
            name = new_name(self._names, self._now())
            with self._rule_for(name, route, request) as rule:
                self._start(name, archive, rule, request)
        logger.info("replay started", extra={"replay": name, "tenant_id": str(request.tenant_id or "")})
        return name

    def look(self, name: str, /) -> Replay:
        """Describe the replay."""
        with self._of_replay("looking at", name):
            found = self._events.describe_replay(ReplayName=name)
        return Replay(
            name=name,
            state=ReplayState(found["State"].lower()),
            start=found["EventStartTime"],
            end=found["EventEndTime"],
            reached=found.get("EventLastReplayedTime"),
            reason=found.get("StateReason", ""),
        )

    def cancel(self, name: str, /) -> None:
        """Cancel the replay."""
        with self._of_replay("cancelling", name):
            try:
                self._events.cancel_replay(ReplayName=name)
            except self._events.exceptions.IllegalStatusException:
                raise InfrastructureError(f"the replay {name} is not running any more") from None

    def clean_up(self, name: str, /) -> None:
        """Remove the replay's own rule, if it has one."""
        with self._of_replay("cleaning up after", name):
            self._rules.clean_up(name)

    def tidy(self) -> tuple[str, ...]:
        """Remove the rules of all finished replays, including those that other processes started."""
        return self._rules.remove_those_over(self._now())

    def _archive(self) -> "DescribeArchiveResponseTypeDef":
        names = self._names
        try:
            archive = self._events.describe_archive(ArchiveName=names.archive)
        except self._events.exceptions.ResourceNotFoundException:
            raise InfrastructureError(
                f"there is no archive {names.archive}: run `transcripts provision --archive DAYS`, which "
                "keeps events from then on, or correct ARCHIVE_NAME or AWS_REGION"
            ) from None
        if archive["EventSourceArn"].rpartition("event-bus/")[2] != names.bus:
            raise InfrastructureError(
                f"the archive {names.archive} keeps the events of {archive['EventSourceArn']}: correct "
                "ARCHIVE_NAME or EVENTBRIDGE_BUS_NAME"
            )
        return archive

    @contextmanager
    def _rule_for(self, name: str, route: Route, request: ReplayRequest) -> Iterator[str]:
        """Provide the rule for the replay; remove one created for it where the replay cannot start."""
        if request.tenant_id is None:
            self._require_rule()
            yield route.rule_arn
            return
        self._require_admission(name, route)
        try:
            arn = self._rules.create(name, route, request.tenant_id)
            self._pause(RULE_SETTLES_SECONDS)
            yield arn
        except BaseException:
            self._rules.remove(name, route.queue_arn)
            raise

    def _start(
        self, name: str, archive: "DescribeArchiveResponseTypeDef", rule: str, request: ReplayRequest
    ) -> None:
        try:
            self._events.start_replay(
                ReplayName=name,
                EventSourceArn=archive["ArchiveArn"],
                EventStartTime=request.start,
                EventEndTime=request.end,
                Destination={"Arn": archive["EventSourceArn"], "FilterArns": [rule]},
            )
        except self._events.exceptions.ResourceAlreadyExistsException:
            # the name is unique: an earlier try started it, and its response was lost
            logger.warning("replay was already started by an earlier try", extra={"replay": name})

    def _require_rule(self) -> None:
        try:
            self._events.describe_rule(Name=self._names.rule, EventBusName=self._names.bus)
        except self._events.exceptions.ResourceNotFoundException:
            raise InfrastructureError(
                f"the rule {self._names.rule} does not exist: run `transcripts provision`"
            ) from None

    def _require_admission(self, name: str, route: Route) -> None:
        """Check the queue's policy: EventBridge silently drops events that the queue refuses."""
        try:
            url = self._sqs.get_queue_url(QueueName=self._names.queue)["QueueUrl"]
            answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "Policy"])
        except self._sqs.exceptions.QueueDoesNotExist:
            raise InfrastructureError(
                f"the queue {self._names.queue} does not exist: run `transcripts provision`"
            ) from None
        rule = route.rule_arn.removesuffix(self._names.rule) + name
        sending = ServiceRequest("sqs:SendMessage", route.queue_arn, rule)
        policy = answer["Attributes"].get("Policy")
        if evaluate(policy, sending).decision is not Decision.ALLOWED:
            raise InfrastructureError(
                f"the policy of the queue {self._names.queue} does not admit replays of one tenant: run "
                "`transcripts provision --archive DAYS --repair`"
            )

    @contextmanager
    def _of_replay(self, doing: str, name: str) -> Iterator[None]:
        with translate_infrastructure_errors(f"{doing} the replay {name}"):
            try:
                yield
            except self._events.exceptions.ResourceNotFoundException:
                raise InfrastructureError(
                    f"there is no replay {name}: EventBridge forgets replays after 90 days"
                ) from None
