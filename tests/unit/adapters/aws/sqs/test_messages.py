"""Messages and copies as SQS reports them, in responses that no emulator gives."""

from datetime import UTC, datetime

import pytest
from botocore.stub import ANY, Stubber

from adapters.aws.sqs.queue import SqsQueue
from ports.queue_port import QueueMessage
from tests.support.aws.sqs_queues import TRACE_HEADER, receive_stubbed
from tests.support.samples.factories import A_TRACEPARENT

Stubbed = tuple[SqsQueue, Stubber]
EVENTBRIDGE_SAYS = {
    "RULE_ARN": "arn:aws:events:eu-central-1:123456789012:rule/capture",
    "TARGET_ARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
    "ERROR_CODE": "NO_PERMISSIONS",
    "ERROR_MESSAGE": "not authorised",
    "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    "RETRY_ATTEMPTS": "185",
}


def _read(stubbed: Stubbed, named: dict[str, str], **system: str) -> QueueMessage:
    queue, stubber = stubbed
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in named.items()}
    message = {
        "MessageId": "a",
        "ReceiptHandle": "a",
        "Body": "a",
        "Attributes": {"ApproximateReceiveCount": "1", **system},
        "MessageAttributes": attributes,
    }
    stubber.add_response("receive_message", {"Messages": [message]})
    return queue.receive(1, visibility_timeout=10)[0]


def test_why_eventbridge_could_not_deliver_is_read(stubbed: Stubbed) -> None:
    message = _read(stubbed, EVENTBRIDGE_SAYS)

    why = ("NO_PERMISSIONS", "not authorised", 185, "MaximumRetryAttempts")
    assert message.delivery_failure == why
    assert len(message.attributes.named) == 6


@pytest.mark.parametrize("attempts", ["", "many", "-1", "9" * 5000])
def test_a_number_of_retries_that_is_none_is_not_told(stubbed: Stubbed, attempts: str) -> None:
    delivery_failure = _read(stubbed, {**EVENTBRIDGE_SAYS, "RETRY_ATTEMPTS": attempts}).delivery_failure

    assert delivery_failure
    assert delivery_failure.attempts is None


def test_a_message_that_reached_a_queue_before_was_delivered(stubbed: Stubbed) -> None:
    source = {"DeadLetterQueueSourceArn": EVENTBRIDGE_SAYS["TARGET_ARN"]}

    assert _read(stubbed, EVENTBRIDGE_SAYS, **source).delivery_failure is None


def test_the_trace_of_a_message_is_read(stubbed: Stubbed) -> None:
    header = "Root=1-4efaaf4d-1e8720b39541901950019ee5;Parent=53995c3f42cd8ad8;Sampled=1"

    message = _read(stubbed, {}, AWSTraceHeader=header)

    assert (message.traceparent, message.attributes.trace) == (A_TRACEPARENT, header)


def test_when_a_message_was_sent_is_read_to_the_millisecond(stubbed: Stubbed) -> None:
    message = _read(stubbed, {}, SentTimestamp="1764000000123")

    assert message.sent_at == datetime(2025, 11, 24, 16, 0, 0, 123000, tzinfo=UTC)


def _sent(entry_id: str, md5: str) -> dict[str, str]:
    return {"Id": entry_id, "MessageId": f"copy-{entry_id}", "MD5OfMessageBody": md5}


MD5_OF_A = "0cc175b9c0f1b6a831c399e269772661"


def test_a_copy_that_arrived_changed_is_no_copy(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    held = receive_stubbed(queue, stubber, "a", "b")
    sent = [_sent("0", MD5_OF_A), _sent("1", MD5_OF_A)]
    stubber.add_response("send_message_batch", {"Successful": sent, "Failed": []})

    assert [copy[1:] for copy in queue.resend(held)] == [
        ("copy-0", ""),
        (None, "the copy arrived changed"),
    ]


def test_attributes_that_arrived_changed_make_no_copy(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    held = receive_stubbed(queue, stubber, "a")
    sent = {**_sent("0", MD5_OF_A), "MD5OfMessageAttributes": MD5_OF_A}
    stubber.add_response("send_message_batch", {"Successful": [sent], "Failed": []})

    assert queue.resend(held)[0].problem == "the copy arrived changed"


def test_one_refused_entry_leaves_the_others_copied(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    held = receive_stubbed(queue, stubber, "b", "a", "c")
    failed = [{"Id": "0", "SenderFault": True, "Code": "KMS.AccessDeniedException"}]
    answer = {"Successful": [_sent("1", MD5_OF_A)], "Failed": failed}
    stubber.add_response("send_message_batch", answer)

    assert [copy[1:] for copy in queue.resend(held)] == [
        (None, "KMS.AccessDeniedException"),
        ("copy-1", ""),
        (None, "SQS did not report a result"),
    ]


def test_a_refused_call_refuses_every_copy_and_raises_nothing(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    held = receive_stubbed(queue, stubber, "a")
    stubber.add_client_error("send_message_batch", "AccessDenied", "no sqs:SendMessage")

    (copy,) = queue.resend(held)

    assert copy.id is None
    assert "no sqs:SendMessage" in copy.problem


def test_a_copy_is_sent_with_the_trace_header_of_its_original(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    system = {"ApproximateReceiveCount": "1", "AWSTraceHeader": TRACE_HEADER}
    message = {"MessageId": "a", "ReceiptHandle": "a", "Body": "a", "Attributes": system}
    stubber.add_response("receive_message", {"Messages": [message]})
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE_HEADER}}
    entry = {"Id": "0", "MessageBody": "a", "DelaySeconds": 0}
    wanted = {"QueueUrl": ANY, "Entries": [{**entry, "MessageSystemAttributes": header}]}
    stubber.add_response("send_message_batch", {"Successful": [_sent("0", MD5_OF_A)], "Failed": []}, wanted)

    (copy,) = queue.resend(queue.receive(1, visibility_timeout=10))

    assert copy.id == "copy-0"


def test_why_sns_could_not_deliver_is_read(stubbed: Stubbed) -> None:
    named = {"RequestID": "r-1", "ErrorCode": "AccessDenied", "ErrorMessage": "not authorised"}

    failure = _read(stubbed, named).delivery_failure

    assert failure == ("AccessDenied", "not authorised", None, "")


def test_the_trace_context_that_sns_carries_as_an_attribute_is_read(stubbed: Stubbed) -> None:
    assert _read(stubbed, {"traceparent": A_TRACEPARENT}).traceparent == A_TRACEPARENT


def test_a_trace_context_that_cannot_be_read_is_none(stubbed: Stubbed) -> None:
    assert _read(stubbed, {"traceparent": "00-zz"}).traceparent is None
