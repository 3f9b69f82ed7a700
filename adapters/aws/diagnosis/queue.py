"""Whether the queue exists and lets EventBridge in: by its policy, and by the key it is encrypted with."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from adapters.aws.findings import checked
from adapters.aws.policy.evaluation import EVENTBRIDGE, Decision, EventBridgeCall, evaluate
from adapters.aws.route.definition import rule_arn
from domain.model.route.route import Finding, RouteComponent, RouteNames

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_kms.type_defs import KeyMetadataTypeDef
    from types_boto3_sqs import SQSClient

SQS_OWN_KEY = "alias/aws/sqs"
KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
"""What EventBridge does with the key of an encrypted queue."""

KEY_STATEMENT = json.dumps(
    {
        "Sid": "EventBridgeMayUseTheQueuesKey",
        "Effect": "Allow",
        "Principal": {"Service": EVENTBRIDGE},
        "Action": list(KEY_ACTIONS),
        "Resource": "*",
    }
)
"""What the policy of a queue's key needs; in a key's policy `*` means that key."""

OUR_OWN_KEY_REMEDY = (
    "Encrypt the queue with SSE-SQS, or with a customer managed key (QUEUE_KMS_KEY) whose policy has the "
    f"statement {KEY_STATEMENT}."
)
UNREADABLE_KEY_REMEDY = (
    "Let these credentials read it, or see to it yourself that the policy of the queue's key has the "
    f"statement {KEY_STATEMENT}."
)


class QueueDiagnosis:
    """Reads the queue, its policy and its key; changes nothing and sends nothing."""

    def __init__(self, sqs: "SQSClient", kms: "KMSClient", names: RouteNames) -> None:
        self._sqs = sqs
        self._kms = kms
        self._names = names

    def findings(self) -> tuple[Finding, ...]:
        """What keeps EventBridge from sending to the queue."""
        return checked(RouteComponent.QUEUE, self._queue)

    def _queue(self) -> Iterator[Finding]:
        try:
            attributes = self._queue_attributes()
        except self._sqs.exceptions.QueueDoesNotExist:
            yield Finding(
                RouteComponent.QUEUE,
                f"the queue {self._names.queue} does not exist",
                "SQS knows no queue of that name in this region and account",
                "Run `transcripts provision`, or correct QUEUE_NAME or AWS_REGION.",
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
        call = EventBridgeCall("sqs:SendMessage", arn, rule_arn(arn, self._names))
        remedy = (
            f"Let events.amazonaws.com sqs:SendMessage to {arn} where aws:SourceArn equals {call.rule_arn}, "
            "and deny it nowhere."
        )
        yield from _policy_findings(
            RouteComponent.QUEUE_POLICY, "the queue's policy", attributes.get("Policy"), call, remedy
        )

    def _encryption(self, attributes: Mapping[str, str]) -> Iterator[Finding]:
        key_id = attributes.get("KmsMasterKeyId")
        if not key_id:
            return
        if key_id.endswith(SQS_OWN_KEY):
            yield _shut_out(f"the queue is encrypted with {SQS_OWN_KEY}, whose policy nobody can change")
            return
        try:
            key = self._kms.describe_key(KeyId=key_id)["KeyMetadata"]
        except self._kms.exceptions.NotFoundException:
            yield _shut_out(f"the queue's key {key_id} does not exist")
            return
        yield from self._key(key, rule_arn(attributes["QueueArn"], self._names))

    def _key(self, key: "KeyMetadataTypeDef", rule: str) -> Iterator[Finding]:
        arn = key["Arn"]
        if key.get("KeyManager") == "AWS":
            yield _shut_out(f"the queue's key {arn} belongs to AWS, and nobody can change its policy")
            return
        if key.get("KeyState", "Enabled") != "Enabled":
            yield _shut_out(f"the queue's key {arn} is in state {key.get('KeyState')}")
            return
        policy = self._kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
        for action in KEY_ACTIONS:
            call = EventBridgeCall(action, arn, rule)
            yield from _policy_findings(
                RouteComponent.ENCRYPTION,
                f"the policy of the queue's key, asked for {action},",
                policy,
                call,
                OUR_OWN_KEY_REMEDY,
            )


def _policy_findings(
    component: RouteComponent, whose: str, policy: str | None, call: EventBridgeCall, remedy: str
) -> Iterator[Finding]:
    evaluation = evaluate(policy, call)
    if evaluation.answer is Decision.REFUSED:
        yield Finding(component, f"{whose} refuses EventBridge", evaluation.evidence, remedy)
    elif evaluation.answer is Decision.UNKNOWN:
        problem = f"whether {whose} lets EventBridge in could not be told"
        yield Finding(component, problem, evaluation.evidence, remedy, proven=False)


def _shut_out(evidence: str) -> Finding:
    return Finding(
        RouteComponent.ENCRYPTION, "the queue's key shuts EventBridge out", evidence, OUR_OWN_KEY_REMEDY
    )
