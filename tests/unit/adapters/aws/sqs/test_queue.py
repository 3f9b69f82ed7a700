"""The queue on moto, and with responses that no emulator gives."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.stub import ANY, Stubber
from moto import mock_aws

from adapters.aws.sqs.messages import batches_by_size
from adapters.aws.sqs.queue import SqsQueue
from domain.model.errors import InfrastructureError
from ports.queue_port import QueueDepth, QueueMessage, QueuePort
from tests.contracts.queue_port import QueuePortContract, Send
from tests.support.aws.routes import moto_clients
from tests.support.aws.sqs_queues import ATTRIBUTES, create_pair, receive_stubbed, sender

Stubbed = tuple[SqsQueue, Stubber]


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


def test_a_failed_release_is_logged_and_raises_nothing(
    stubbed: Stubbed, caplog: pytest.LogCaptureFixture
) -> None:
    queue, stubber = stubbed
    held = receive_stubbed(queue, stubber, "a")
    stubber.add_client_error("change_message_visibility_batch", "AccessDenied", "no")

    queue.release(held)

    assert [record.message for record in caplog.records] == [
        "could not release messages, they reappear after the visibility timeout"
    ]


class UnreachableSqs:
    """Client whose calls to hide messages reach their time-out."""

    def __init__(self) -> None:
        self.exceptions = moto_clients().sqs.exceptions
        self.calls = 0

    def get_queue_url(self, **_: object) -> dict[str, str]:
        return {"QueueUrl": "https://sqs/orders"}

    def change_message_visibility_batch(self, **_: object) -> None:
        self.calls += 1
        raise ConnectTimeoutError(endpoint_url="https://sqs")


def test_a_release_waits_for_one_time_out_only_when_the_network_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client: Any = UnreachableSqs()

    SqsQueue(client, name="orders").release([QueueMessage(str(i), "", str(i), 1) for i in range(25)])

    assert client.calls == 1
    assert len(caplog.records) == 1


def test_messages_are_released_though_sqs_refused_others_before(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    held = receive_stubbed(queue, stubber, *map(str, range(11)))
    stubber.add_client_error("change_message_visibility_batch", "RequestThrottled", "slow down")
    stubber.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []})

    queue.release(held)

    stubber.assert_no_pending_responses()


@pytest.mark.parametrize("operation", ["delete_message_batch", "send_message_batch"])
def test_a_return_path_without_permission_is_found_before_anything_is_received(
    stubbed: Stubbed, operation: str
) -> None:
    queue, stubber = stubbed
    turned_down = {"Successful": [], "Failed": [{"Id": "0", "SenderFault": True, "Code": "Invalid"}]}
    if operation == "send_message_batch":
        stubber.add_response("delete_message_batch", turned_down)
    stubber.add_client_error(operation, "AccessDenied", "not allowed")

    with pytest.raises(InfrastructureError, match=r"the queue orders failed.*not allowed"):
        queue.check_permissions()


def test_the_return_path_is_tried_with_an_entry_that_no_queue_accepts(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    turned_down = {"Successful": [], "Failed": [{"Id": "0", "SenderFault": True, "Code": "Invalid"}]}
    nothing = {"QueueUrl": ANY, "Entries": [{"Id": "0", "ReceiptHandle": "none"}]}
    stubber.add_response("delete_message_batch", turned_down, nothing)
    stubber.add_response("send_message_batch", turned_down)

    queue.check_permissions()

    stubber.assert_no_pending_responses()


def test_no_error_of_botocore_escapes(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    held = receive_stubbed(queue, stubber, "a")
    for operation in ("receive_message", "delete_message_batch", "get_queue_attributes"):
        stubber.add_client_error(operation, "InternalError", "secret of the request")

    calls = (lambda: queue.receive(1, visibility_timeout=1), lambda: queue.delete(held), queue.depth)
    for call in calls:
        with pytest.raises(InfrastructureError) as caught:
            call()
        assert "secret" not in str(caught.value)
        assert not isinstance(caught.value.__cause__, ClientError)


def test_what_sqs_failed_to_hide_by_its_own_fault_may_be_hidden_later(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    held = receive_stubbed(queue, stubber, "a", "b")
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


def test_a_refused_call_to_hide_raises(stubbed: Stubbed) -> None:
    queue, stubber = stubbed
    held = receive_stubbed(queue, stubber, "a")
    stubber.add_client_error("change_message_visibility_batch", "AccessDenied", "no")

    with pytest.raises(
        InfrastructureError, match="changing the visibility of messages of the queue orders failed"
    ):
        queue.change_visibility(held, visibility_timeout=30)
