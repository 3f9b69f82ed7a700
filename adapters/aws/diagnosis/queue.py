"""Diagnosis of the queue: its existence, its policy, and the key that encrypts it."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from adapters.aws.findings import checked
from adapters.aws.policy.evaluation import EVENTBRIDGE, Decision, EventBridgeRequest, evaluate
from adapters.aws.route.definition import rule_arn
from domain.model.route.route import Finding, RouteComponent, RouteNames

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_kms.type_defs import KeyMetadataTypeDef
    from types_boto3_sqs import SQSClient

SQS_OWN_KEY = "alias/aws/sqs"
KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
"""Actions of EventBridge on the key of an encrypted queue."""

KEY_STATEMENT = json.dumps(
    {
        "Sid": "EventBridgeMayUseTheQueuesKey",
        "Effect": "Allow",
        "Principal": {"Service": EVENTBRIDGE},
        "Action": list(KEY_ACTIONS),
        "Resource": "*",
    }
)
"""Statement that the policy of a queue's key needs; in a key's policy `*` means that key."""

KEY_REMEDY = (
    "Encrypt the queue with SSE-SQS, or with a customer managed key (QUEUE_KMS_KEY) whose policy has the "
    f"statement {KEY_STATEMENT}."
)
UNREADABLE_KEY_REMEDY = (
    "Let these credentials read the policy of the queue's key, or check yourself that it has the "
    f"statement {KEY_STATEMENT}."
)


class QueueDiagnosis:
    """Checks the queue, its policy and its key; changes nothing and sends nothing."""

    def __init__(self, sqs: "SQSClient", kms: "KMSClient", names: RouteNames) -> None:
        self._sqs = sqs
        self._kms = kms
        self._names = names

    def findings(self) -> tuple[Finding, ...]:
        """List the faults that keep EventBridge from sending to the queue."""
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
            RouteComponent.ENCRYPTION, lambda: self._encryption(attributes), UNREADABLE_KEY_REMEDY
        )

    def _queue_attributes(self) -> Mapping[str, str]:
        url = self._sqs.get_queue_url(QueueName=self._names.queue)["QueueUrl"]
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return {str(name): value for name, value in answer["Attributes"].items()}

    def _queue_policy(self, attributes: Mapping[str, str]) -> Iterator[Finding]:
        arn = attributes["QueueArn"]
        request = EventBridgeRequest("sqs:SendMessage", arn, rule_arn(arn, self._names))
        remedy = (
            f"Allow events.amazonaws.com sqs:SendMessage to {arn} where aws:SourceArn equals "
            f"{request.rule_arn}, and deny it nowhere."
        )
        yield from _policy_findings(
            RouteComponent.QUEUE_POLICY, "the queue's policy", attributes.get("Policy"), request, remedy
        )

    def _encryption(self, attributes: Mapping[str, str]) -> Iterator[Finding]:
        key_id = attributes.get("KmsMasterKeyId")
        if not key_id:
            return
        if key_id.endswith(SQS_OWN_KEY):
            yield _denied(f"the queue is encrypted with {SQS_OWN_KEY}, whose policy cannot be changed")
            return
        try:
            key = self._kms.describe_key(KeyId=key_id)["KeyMetadata"]
        except self._kms.exceptions.NotFoundException:
            yield _denied(f"the queue's key {key_id} does not exist")
            return
        yield from self._key(key, rule_arn(attributes["QueueArn"], self._names))

    def _key(self, key: "KeyMetadataTypeDef", rule: str) -> Iterator[Finding]:
        arn = key["Arn"]
        if key.get("KeyManager") == "AWS":
            yield _denied(f"the queue's key {arn} belongs to AWS, and its policy cannot be changed")
            return
        if key.get("KeyState", "Enabled") != "Enabled":
            yield _denied(f"the queue's key {arn} is in state {key.get('KeyState')}")
            return
        policy = self._kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
        for action in KEY_ACTIONS:
            request = EventBridgeRequest(action, arn, rule)
            yield from _policy_findings(
                RouteComponent.ENCRYPTION,
                f"the policy of the queue's key, asked for {action},",
                policy,
                request,
                KEY_REMEDY,
            )


def _policy_findings(
    component: RouteComponent, whose: str, policy: str | None, request: EventBridgeRequest, remedy: str
) -> Iterator[Finding]:
    evaluation = evaluate(policy, request)
    if evaluation.decision is Decision.DENIED:
        yield Finding(component, f"{whose} refuses EventBridge", evaluation.evidence, remedy)
    elif evaluation.decision is Decision.UNKNOWN:
        problem = f"{whose} could not be evaluated for EventBridge"
        yield Finding(component, problem, evaluation.evidence, remedy, proven=False)


def _denied(evidence: str) -> Finding:
    return Finding(
        RouteComponent.ENCRYPTION, "the queue's key cannot be used by EventBridge", evidence, KEY_REMEDY
    )
