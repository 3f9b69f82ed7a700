"""SQS as a queue: on moto, and against answers that no emulator gives."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from moto import mock_aws

from adapters.aws.sqs.messages import batches_by_size
from adapters.aws.sqs.queue import SqsQueue
from domain.model.errors import InfrastructureError
from ports.queue_port import QueueDepth, QueueMessage, QueuePort
from tests.contracts.queue_port import QueuePortContract, Send
from tests.support.aws.routes import moto_clients
from tests.support.aws.sqs_queues import ATTRIBUTES, TRACE_HEADER, create_pair, sender


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield moto_clients().sqs


@pytest.fixture
def url(sqs: Any) -> str:
    return create_pair(sqs, "orders", "dead-orders")


class TestSqsQueueOnMoto(QueuePortContract):
    receivers = 1  # moto may hand one message to two threads

    @pytest.fixture
    def queue(self, sqs: Any, url: str) -> QueuePort:
        assert url
        return SqsQueue(sqs, name="orders")

    @pytest.fixture
    def dead_letters(self, sqs: Any, url: str) -> QueuePort:
        assert url
        return SqsQueue(sqs, name="dead-orders")

    @pytest.fixture
    def send(self, sqs: Any, url: str) -> Send:
        return sender(sqs, url, traced=False)


def test_a_copy_has_every_attribute(sqs: Any, url: str) -> None:
    queue = SqsQueue(sqs, name="orders")
    sender(sqs, url)("body")

    held = queue.receive(1, visibility_timeout=60)
    queue.resend(held)
    queue.delete(held)

    (copy,) = sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert copy["MessageAttributes"] == ATTRIBUTES


def test_a_copy_is_sent_with_the_trace_header_of_its_original(stubbed: tuple[SqsQueue, Stubber]) -> None:
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


def test_copies_are_visible_at_once_even_where_the_queue_delays(sqs: Any) -> None:
    url = create_pair(sqs, "slow", "dead-slow", DelaySeconds="900")
    queue = SqsQueue(sqs, name="slow")
    sqs.send_message(QueueUrl=url, MessageBody="a", DelaySeconds=0)

    queue.resend(queue.receive(1, visibility_timeout=60))

    assert queue.depth() == QueueDepth(waiting=1, in_flight=1)


def test_messages_that_do_not_fit_into_one_call_are_copied_in_several(sqs: Any, url: str) -> None:
    queue = SqsQueue(sqs, name="orders")
    for letter in "abcd":
        sqs.send_message(QueueUrl=url, MessageBody=letter * 400_000, MessageAttributes=ATTRIBUTES)

    copies = queue.resend(queue.receive(10, visibility_timeout=60))

    assert [bool(copy.id) for copy in copies] == [True] * 4


def test_attributes_count_towards_the_size_of_a_call(sqs: Any, url: str) -> None:
    queue = SqsQueue(sqs, name="orders")
    send = sender(sqs, url, traced=False)
    for letter in "ab":
        send(letter * (2**19 - 30))
    held = queue.receive(10, visibility_timeout=60)

    assert [len(batch) for batch in batches_by_size(held)] == [1, 1]


def test_the_largest_message_can_be_copied(sqs: Any, url: str) -> None:
    queue = SqsQueue(sqs, name="orders")
    sqs.send_message(QueueUrl=url, MessageBody="x" * 2**20)

    (copy,) = queue.resend(queue.receive(1, visibility_timeout=60))

    assert copy.id


def test_a_missing_queue_is_named_with_what_to_do(sqs: Any) -> None:
    queue = SqsQueue(sqs, name="nowhere")

    with pytest.raises(
        InfrastructureError, match=r"queue nowhere does not exist: run `transcripts provision`"
    ):
        queue.check_permissions()
    with pytest.raises(InfrastructureError, match="nowhere does not exist"):
        queue.receive(1, visibility_timeout=1)
    with pytest.raises(InfrastructureError, match="nowhere does not exist"):
        queue.depth()


def test_a_queue_that_vanishes_refuses_copies_and_raises_at_a_deletion(sqs: Any, url: str) -> None:
    queue = SqsQueue(sqs, name="orders")
    sender(sqs, url)("a")
    held = queue.receive(1, visibility_timeout=60)
    sqs.delete_queue(QueueUrl=url)

    (copy,) = queue.resend(held)
    queue.release(held)

    assert copy.id is None
    assert "does not exist" in copy.problem
    with pytest.raises(InfrastructureError, match="could not be deleted"):
        queue.delete(held)


@pytest.fixture
def stubbed() -> Iterator[tuple[SqsQueue, Stubber]]:
    """A queue whose SQS says what the test says."""
    client = moto_clients().sqs
    with Stubber(client) as stubber:
        stubber.add_response("get_queue_url", {"QueueUrl": "https://sqs/orders"})
        yield SqsQueue(client, name="orders"), stubber


def _held(queue: SqsQueue, stubber: Stubber, *bodies: str) -> Any:
    messages = [
        {
            "MessageId": body,
            "ReceiptHandle": body,
            "Body": body,
            "Attributes": {"ApproximateReceiveCount": "1"},
        }
        for body in bodies
    ]
    stubber.add_response("receive_message", {"Messages": messages})
    return queue.receive(10, visibility_timeout=10)


EVENTBRIDGE_SAYS = {
    "RULE_ARN": "arn:aws:events:eu-central-1:123456789012:rule/capture",
    "TARGET_ARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
    "ERROR_CODE": "NO_PERMISSIONS",
    "ERROR_MESSAGE": "not authorised",
    "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    "RETRY_ATTEMPTS": "185",
}


def _read(stubbed: tuple[SqsQueue, Stubber], named: dict[str, str], **system: str) -> QueueMessage:
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


def test_why_eventbridge_could_not_deliver_is_read(stubbed: tuple[SqsQueue, Stubber]) -> None:
    message = _read(stubbed, EVENTBRIDGE_SAYS)

    why = ("NO_PERMISSIONS", "not authorised", 185, "MaximumRetryAttempts")
    assert message.delivery_failure == why
    assert len(message.attributes.named) == 6


@pytest.mark.parametrize("attempts", ["", "many", "-1", "9" * 5000])
def test_a_number_of_retries_that_is_none_is_not_told(
    stubbed: tuple[SqsQueue, Stubber], attempts: str
) -> None:
    delivery_failure = _read(stubbed, {**EVENTBRIDGE_SAYS, "RETRY_ATTEMPTS": attempts}).delivery_failure

    assert delivery_failure
    assert delivery_failure.attempts is None


def test_a_message_that_reached_a_queue_before_was_delivered(stubbed: tuple[SqsQueue, Stubber]) -> None:
    source = {"DeadLetterQueueSourceArn": EVENTBRIDGE_SAYS["TARGET_ARN"]}

    assert _read(stubbed, EVENTBRIDGE_SAYS, **source).delivery_failure is None


def test_when_a_message_was_sent_is_read_to_the_millisecond(stubbed: tuple[SqsQueue, Stubber]) -> None:
    message = _read(stubbed, {}, SentTimestamp="1764000000123")

    assert message.sent_at == datetime(2025, 11, 24, 16, 0, 0, 123000, tzinfo=UTC)


def _sent(entry_id: str, md5: str) -> dict[str, str]:
    return {"Id": entry_id, "MessageId": f"copy-{entry_id}", "MD5OfMessageBody": md5}


MD5_OF_A = "0cc175b9c0f1b6a831c399e269772661"


def test_a_copy_that_arrived_changed_is_no_copy(stubbed: tuple[SqsQueue, Stubber]) -> None:
    queue, stubber = stubbed
    held = _held(queue, stubber, "a", "b")
    sent = [_sent("0", MD5_OF_A), _sent("1", MD5_OF_A)]
    stubber.add_response("send_message_batch", {"Successful": sent, "Failed": []})

    assert [copy[1:] for copy in queue.resend(held)] == [
        ("copy-0", ""),
        (None, "the copy arrived changed"),
    ]


def test_attributes_that_arrived_changed_make_no_copy(stubbed: tuple[SqsQueue, Stubber]) -> None:
    queue, stubber = stubbed
    held = _held(queue, stubber, "a")
    sent = {**_sent("0", MD5_OF_A), "MD5OfMessageAttributes": MD5_OF_A}
    stubber.add_response("send_message_batch", {"Successful": [sent], "Failed": []})

    assert queue.resend(held)[0].problem == "the copy arrived changed"


def test_one_refused_entry_leaves_the_others_copied(stubbed: tuple[SqsQueue, Stubber]) -> None:
    queue, stubber = stubbed
    held = _held(queue, stubber, "b", "a", "c")
    failed = [{"Id": "0", "SenderFault": True, "Code": "KMS.AccessDeniedException"}]
    answer = {"Successful": [_sent("1", MD5_OF_A)], "Failed": failed}
    stubber.add_response("send_message_batch", answer)

    assert [copy[1:] for copy in queue.resend(held)] == [
        (None, "KMS.AccessDeniedException"),
        ("copy-1", ""),
        (None, "SQS did not report a result"),
    ]


def test_a_refused_call_refuses_every_copy_and_raises_nothing(stubbed: tuple[SqsQueue, Stubber]) -> None:
    queue, stubber = stubbed
    held = _held(queue, stubber, "a")
    stubber.add_client_error("send_message_batch", "AccessDenied", "no sqs:SendMessage")

    (copy,) = queue.resend(held)

    assert copy.id is None
    assert "no sqs:SendMessage" in copy.problem


def test_a_failed_release_is_logged_and_raises_nothing(
    stubbed: tuple[SqsQueue, Stubber], caplog: pytest.LogCaptureFixture
) -> None:
    queue, stubber = stubbed
    held = _held(queue, stubber, "a")
    stubber.add_client_error("change_message_visibility_batch", "AccessDenied", "no")

    queue.release(held)

    assert [record.message for record in caplog.records] == [
        "could not release messages, they reappear after the visibility timeout"
    ]


@pytest.mark.parametrize("operation", ["delete_message_batch", "send_message_batch"])
def test_a_return_path_without_permission_is_found_before_anything_is_received(
    stubbed: tuple[SqsQueue, Stubber], operation: str
) -> None:
    queue, stubber = stubbed
    turned_down = {"Successful": [], "Failed": [{"Id": "0", "SenderFault": True, "Code": "Invalid"}]}
    if operation == "send_message_batch":
        stubber.add_response("delete_message_batch", turned_down)
    stubber.add_client_error(operation, "AccessDenied", "not allowed")

    with pytest.raises(InfrastructureError, match=r"the queue orders failed.*not allowed"):
        queue.check_permissions()


def test_the_return_path_is_tried_with_an_entry_that_no_queue_accepts(
    stubbed: tuple[SqsQueue, Stubber],
) -> None:
    queue, stubber = stubbed
    turned_down = {"Successful": [], "Failed": [{"Id": "0", "SenderFault": True, "Code": "Invalid"}]}
    nothing = {"QueueUrl": ANY, "Entries": [{"Id": "0", "ReceiptHandle": "none"}]}
    stubber.add_response("delete_message_batch", turned_down, nothing)
    stubber.add_response("send_message_batch", turned_down)

    queue.check_permissions()

    stubber.assert_no_pending_responses()


def test_no_error_of_botocore_escapes(stubbed: tuple[SqsQueue, Stubber]) -> None:
    queue, stubber = stubbed
    held = _held(queue, stubber, "a")
    for operation in ("receive_message", "delete_message_batch", "get_queue_attributes"):
        stubber.add_client_error(operation, "InternalError", "secret of the request")

    calls = (lambda: queue.receive(1, visibility_timeout=1), lambda: queue.delete(held), queue.depth)
    for call in calls:
        with pytest.raises(InfrastructureError) as caught:
            call()
        assert "secret" not in str(caught.value)
        assert not isinstance(caught.value.__cause__, ClientError)


def test_what_sqs_failed_to_hide_by_its_own_fault_may_be_hidden_later(
    stubbed: tuple[SqsQueue, Stubber],
) -> None:
    queue, stubber = stubbed
    held = _held(queue, stubber, "a", "b")
    failed = [
        {"Id": "0", "SenderFault": False, "Code": "InternalError"},
        {"Id": "1", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"},
    ]
    entries = [{"Id": str(i), "ReceiptHandle": b, "VisibilityTimeout": 30} for i, b in enumerate("ab")]
    stubber.add_response(
        "change_message_visibility_batch",
        {"Successful": [], "Failed": failed},
        {"QueueUrl": ANY, "Entries": entries},
    )

    assert queue.change_visibility(held, visibility_timeout=30) == (held[1],)


def test_a_refused_call_to_hide_raises(stubbed: tuple[SqsQueue, Stubber]) -> None:
    queue, stubber = stubbed
    held = _held(queue, stubber, "a")
    stubber.add_client_error("change_message_visibility_batch", "AccessDenied", "no")

    with pytest.raises(
        InfrastructureError, match="changing the visibility of messages of the queue orders failed"
    ):
        queue.change_visibility(held, visibility_timeout=30)
