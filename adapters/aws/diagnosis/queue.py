"""Diagnosis of the queue: its existence, its policy, and the key that encrypts it."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from adapters.aws.findings import checked
from adapters.aws.policy.evaluation import Decision, ServiceRequest, evaluate
from domain.model.route.route import Finding, RouteComponent, RouteNames

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_kms.type_defs import KeyMetadataTypeDef
    from types_boto3_sqs import SQSClient

SQS_OWN_KEY = "alias/aws/sqs"
KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
"""Actions of a service that sends to an encrypted queue on its key."""


class Feed(NamedTuple):
    """The service that sends events to the queue, on behalf of one of its resources."""

    title: str  # such as "EventBridge"
    service: str  # its principal, such as "events.amazonaws.com"
    source_beside: Callable[[str], str]  # builds the resource's ARN in the account and region of another ARN

    @property
    def key_statement(self) -> str:
        """Statement that the policy of a queue's key needs; in a key's policy `*` means that key."""
        return json.dumps(
            {
                "Sid": f"{self.title}MayUseTheQueuesKey",
                "Effect": "Allow",
                "Principal": {"Service": self.service},
                "Action": list(KEY_ACTIONS),
                "Resource": "*",
            }
        )

    @property
    def key_remedy(self) -> str:
        """Action that makes the key of the queue usable."""
        return (
            "Encrypt the queue with SSE-SQS, or with a customer managed key (QUEUE_KMS_KEY) whose policy has "
            f"the statement {self.key_statement}."
        )

    @property
    def unreadable_key_remedy(self) -> str:
        """Action that checks a key whose policy could not be read."""
        return (
            "Let these credentials read the policy of the queue's key, or check yourself that it has the "
            f"statement {self.key_statement}."
        )


class QueueDiagnosis:
    """Checks the queue, its policy and its key; changes nothing and sends nothing."""

    def __init__(self, sqs: "SQSClient", kms: "KMSClient", names: RouteNames, feed: Feed) -> None:
        self._sqs = sqs
        self._kms = kms
        self._names = names
        self._feed = feed

    def findings(self) -> tuple[Finding, ...]:
        """List the faults that keep the feed from sending to the queue."""
        return checked(RouteComponent.QUEUE, self._queue)

    def _queue(self) -> Iterator[Finding]:
        try:
            attributes = self._queue_attributes()
        except self._sqs.exceptions.QueueDoesNotExist:
            yield Finding(
                RouteComponent.QUEUE,
                f"the queue {self._names.queue} does not exist",
                "SQS knows no queue of that name in this region and account",
                f"Run `{self._names.provision_command}`, or correct {self._names.variable('QUEUE_NAME')} or "
                "AWS_REGION.",
            )
            return
        yield from self._queue_policy(attributes)
        yield from checked(
            RouteComponent.ENCRYPTION, lambda: self._encryption(attributes), self._feed.unreadable_key_remedy
        )

    def _queue_attributes(self) -> Mapping[str, str]:
        url = self._sqs.get_queue_url(QueueName=self._names.queue)["QueueUrl"]
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return {str(name): value for name, value in answer["Attributes"].items()}

    def _queue_policy(self, attributes: Mapping[str, str]) -> Iterator[Finding]:
        arn = attributes["QueueArn"]
        request = self._request("sqs:SendMessage", arn, arn)
        remedy = (
            f"Allow {request.service} sqs:SendMessage to {arn} where aws:SourceArn equals "
            f"{request.source_arn}, and deny it nowhere."
        )
        yield from self._policy_findings(
            RouteComponent.QUEUE_POLICY, "the queue's policy", attributes.get("Policy"), request, remedy
        )

    def _encryption(self, attributes: Mapping[str, str]) -> Iterator[Finding]:
        key_id = attributes.get("KmsMasterKeyId")
        if not key_id:
            return
        if key_id.endswith(SQS_OWN_KEY):
            yield self._denied(f"the queue is encrypted with {SQS_OWN_KEY}, whose policy cannot be changed")
            return
        try:
            key = self._kms.describe_key(KeyId=key_id)["KeyMetadata"]
        except self._kms.exceptions.NotFoundException:
            yield self._denied(f"the queue's key {key_id} does not exist")
            return
        yield from self._key(key, attributes["QueueArn"])

    def _key(self, key: "KeyMetadataTypeDef", queue_arn: str) -> Iterator[Finding]:
        arn = key["Arn"]
        if key.get("KeyManager") == "AWS":
            yield self._denied(f"the queue's key {arn} belongs to AWS, and its policy cannot be changed")
            return
        if key.get("KeyState", "Enabled") != "Enabled":
            yield self._denied(f"the queue's key {arn} is in state {key.get('KeyState')}")
            return
        policy = self._kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
        for action in KEY_ACTIONS:
            request = self._request(action, arn, queue_arn)
            yield from self._policy_findings(
                RouteComponent.ENCRYPTION,
                f"the policy of the queue's key, asked for {action},",
                policy,
                request,
                self._feed.key_remedy,
            )

    def _request(self, action: str, resource: str, queue_arn: str) -> ServiceRequest:
        return ServiceRequest(action, resource, self._feed.source_beside(queue_arn), self._feed.service)

    def _policy_findings(
        self, component: RouteComponent, whose: str, policy: str | None, request: ServiceRequest, remedy: str
    ) -> Iterator[Finding]:
        evaluation = evaluate(policy, request)
        if evaluation.decision is Decision.DENIED:
            yield Finding(component, f"{whose} refuses {self._feed.title}", evaluation.evidence, remedy)
        elif evaluation.decision is Decision.UNKNOWN:
            problem = f"{whose} could not be evaluated for {self._feed.title}"
            yield Finding(component, problem, evaluation.evidence, remedy, proven=False)

    def _denied(self, evidence: str) -> Finding:
        problem = f"the queue's key cannot be used by {self._feed.title}"
        return Finding(RouteComponent.ENCRYPTION, problem, evidence, self._feed.key_remedy)
