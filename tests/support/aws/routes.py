"""A route on AWS or an emulator, with methods that break each of its components."""

import json
from functools import cache
from typing import Any, NamedTuple

import boto3
import moto  # noqa: F401 - clients made before this import reach the real AWS

from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from adapters.aws.sqs.queue import SqsQueue
from domain.model.route.route import Finding, RouteNames


class Clients(NamedTuple):
    """Clients of the services that a route uses."""

    events: Any
    sqs: Any
    kms: Any
    cloudwatch: Any


@cache
def moto_clients() -> Clients:
    """Return clients for `mock_aws`, cached because creating them is slow; they hold no state."""
    session: Any = boto3.Session(
        region_name="eu-central-1", aws_access_key_id="id", aws_secret_access_key="key"
    )
    sqs = _RemembersPolicies(session.client("sqs"))
    return Clients(session.client("events"), sqs, session.client("kms"), session.client("cloudwatch"))


class _RemembersPolicies:
    """Set attributes together with the policy, which moto otherwise deletes."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def set_queue_attributes(self, *, QueueUrl: str, Attributes: dict[str, str]) -> Any:  # noqa: N803 - boto3's
        answer = self._client.get_queue_attributes(QueueUrl=QueueUrl, AttributeNames=["Policy"])
        kept = answer.get("Attributes", {})
        return self._client.set_queue_attributes(QueueUrl=QueueUrl, Attributes=kept | Attributes)


class RouteOnAws:
    """A provisioned route, with methods that change its resources directly."""

    def __init__(self, clients: Clients, names: RouteNames) -> None:
        self.clients = clients
        self.names = names
        self.infrastructure = AwsEventInfrastructure(*clients, names, pause=lambda _: None)

    def with_key(self, key: str) -> AwsEventInfrastructure:
        """Return the infrastructure of the same route with a KMS key for its queues."""
        return AwsEventInfrastructure(*self.clients, self.names, key=key, pause=lambda _: None)

    @property
    def queue(self) -> SqsQueue:
        return SqsQueue(self.clients.sqs, name=self.names.queue)

    @property
    def dead_letters(self) -> SqsQueue:
        return SqsQueue(self.clients.sqs, name=self.names.dead_letter_queue)

    @property
    def queue_url(self) -> str:
        url: str = self.clients.sqs.get_queue_url(QueueName=self.names.queue)["QueueUrl"]
        return url

    def attributes(self, queue: str | None = None) -> dict[str, str]:
        url = self.clients.sqs.get_queue_url(QueueName=queue or self.names.queue)["QueueUrl"]
        found: dict[str, str] = self.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
            "Attributes"
        ]
        return found

    def set_attributes(self, **attributes: str) -> None:
        self.clients.sqs.set_queue_attributes(QueueUrl=self.queue_url, Attributes=attributes)

    def set_policy(self, *statements: dict[str, Any]) -> None:
        self.set_attributes(Policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))

    def wanted_statement(self) -> dict[str, Any]:
        statement: dict[str, Any] = json.loads(self.attributes()["Policy"])["Statement"][0]
        return statement

    def rule(self) -> dict[str, Any]:
        found: dict[str, Any] = self.clients.events.describe_rule(
            Name=self.names.rule, EventBusName=self.names.bus
        )
        return found

    def targets(self) -> list[dict[str, Any]]:
        answer = self.clients.events.list_targets_by_rule(Rule=self.names.rule, EventBusName=self.names.bus)
        found: list[dict[str, Any]] = answer["Targets"]
        return found

    def put_rule(self, pattern: dict[str, Any], state: str = "ENABLED") -> None:
        self.clients.events.put_rule(
            Name=self.names.rule, EventBusName=self.names.bus, EventPattern=json.dumps(pattern), State=state
        )

    def disable_rule(self) -> None:
        self.clients.events.disable_rule(Name=self.names.rule, EventBusName=self.names.bus)

    def put_target(self, **changes: Any) -> None:
        """Change fields of the target; another `Id` adds another target."""
        name = changes.get("Id", self.names.queue)
        kept = next((target for target in self.targets() if target["Id"] == name), {"Id": name})
        self.clients.events.put_targets(
            Rule=self.names.rule, EventBusName=self.names.bus, Targets=[{**kept, **changes}]
        )

    def remove_target(self) -> None:
        ids = [target["Id"] for target in self.targets()]
        self.clients.events.remove_targets(Rule=self.names.rule, EventBusName=self.names.bus, Ids=ids)

    def delete_rule(self) -> None:
        self.remove_target()
        self.clients.events.delete_rule(Name=self.names.rule, EventBusName=self.names.bus)

    def delete_bus(self) -> None:
        self.delete_rule()
        self.clients.events.delete_event_bus(Name=self.names.bus)

    def set_dead_letter_attributes(self, **attributes: str) -> None:
        url = self.clients.sqs.get_queue_url(QueueName=self.names.dead_letter_queue)["QueueUrl"]
        self.clients.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)

    def archive(self) -> dict[str, Any]:
        found: dict[str, Any] = self.clients.events.describe_archive(ArchiveName=self.names.archive)
        return found

    def delete_queue(self) -> None:
        self.clients.sqs.delete_queue(QueueUrl=self.queue_url)


def only_finding(route: RouteOnAws) -> Finding:
    """Diagnose the route, which must have exactly one finding."""
    (finding,) = route.infrastructure.diagnose()
    return finding
