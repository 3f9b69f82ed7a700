"""The two queues of the route."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from adapters.aws.policy.statements import merge, policy_differences
from adapters.aws.route.drift import queue_differences
from adapters.aws.route.resource import ManagedResource, retry_transient
from domain.model.errors import InfrastructureError
from domain.model.route.route import Drift, RouteComponent
from domain.model.route.status import QueueLoad

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType

    from adapters.aws.route.queue_pair import QueueAttributes, QueuePair

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)


class FoundQueue(NamedTuple):
    """A queue as SQS describes it."""

    url: str
    attributes: Mapping[str, str]


class RouteQueue(ManagedResource[FoundQueue]):
    """A queue of the route with the attributes it should have."""

    def __init__(
        self, sqs: "SQSClient", component: RouteComponent, route: "QueuePair", pause: Callable[[float], None]
    ) -> None:
        dead = component is RouteComponent.DEAD_LETTER_QUEUE
        name = route.names.dead_letter_queue if dead else route.names.queue
        super().__init__(component, name, f"the queue {name}", pause)
        self._sqs = sqs
        self._arn = route.dead_letter_queue_arn if dead else route.queue_arn
        self._feeder_arn = route.queue_arn
        self._wanted = route.dead_letter_queue_attributes if dead else route.queue_attributes
        self._tolerated = route.tolerated(self._arn)

    def find(self) -> FoundQueue | None:
        """Describe the queue; SQS may list its name for a moment before and after the queue exists."""
        try:
            url = self._sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
            return FoundQueue(url, retry_transient(lambda: self._attributes(url), self._pause))
        except self._sqs.exceptions.QueueDoesNotExist:
            return None

    def create(self) -> bool:
        """Create the queue with all attributes in one call; False where it exists with other attributes."""
        try:
            self._sqs.create_queue(QueueName=self.name, Attributes=self._wanted)
        except self._sqs.exceptions.QueueNameExists:
            return False
        except self._sqs.exceptions.QueueDeletedRecently:
            raise InfrastructureError(
                f"the queue {self.name} was deleted a moment ago, and SQS takes the name again only after "
                "60 seconds: wait 60 seconds and run `transcripts provision` again"
            ) from None
        return True

    def differences(self, found: FoundQueue) -> Iterable[Drift]:
        """Compare attribute by attribute, and the policy statement by statement."""
        yield from queue_differences(self._wanted, found.attributes)
        policy = found.attributes.get("Policy", "")
        yield from policy_differences(self._wanted["Policy"], policy, tolerated=self._tolerated)

    def apply(self, found: FoundQueue, differences: Sequence[Drift]) -> None:
        """Set only the attributes that differ; statements of others stay in the policy."""
        names = {difference.attribute.partition(".")[0] for difference in differences}
        changed: QueueAttributes = {name: value for name, value in self._wanted.items() if name in names}
        if "Policy" in changed:
            changed["Policy"] = merge(self._wanted["Policy"], found.attributes.get("Policy"))
        self._sqs.set_queue_attributes(QueueUrl=found.url, Attributes=changed)

    def delete(self, found: FoundQueue) -> str:
        """Delete the queue, unless other queues send their dead letters to it."""
        feeders = self._other_feeders(found.url) if self.component is RouteComponent.DEAD_LETTER_QUEUE else []
        if feeders:
            return f"it is the dead-letter queue of {', '.join(feeders)} as well"
        self._sqs.delete_queue(QueueUrl=found.url)
        return ""

    def load_of(self, found: FoundQueue) -> QueueLoad:
        """Return SQS's counts, which lag by up to a minute."""
        waiting, delayed, in_flight = (int(found.attributes.get(name, 0)) for name in COUNTS)
        return QueueLoad(waiting + delayed, in_flight)

    def _attributes(self, url: str) -> Mapping[str, str]:
        wanted: list[QueueAttributeNameType] = ["All"]
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)
        return {str(name): value for name, value in answer["Attributes"].items()}

    def _other_feeders(self, url: str) -> list[str]:
        pages = self._sqs.get_paginator("list_dead_letter_source_queues").paginate(QueueUrl=url)
        names = [feeder.rpartition("/")[2] for page in pages for feeder in page.get("queueUrls", ())]
        return [name for name in names if name != self._feeder_arn.rpartition(":")[2]]
