"""SQS's move task with responses that no emulator gives; its contract is bound on LocalStack."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from adapters.aws.sqs.move_task import SqsMoveTask
from domain.model.errors import InfrastructureError
from ports.move_task_port import MoveProgress
from tests.support.aws.routes import moto_clients

ARN = "arn:aws:sqs:eu-central-1:123456789012:"
HANDLE = "a-handle"
Stubbed = tuple[SqsMoveTask, Stubber]


@pytest.fixture
def stubbed() -> Iterator[Stubbed]:
    client: Any = moto_clients().sqs
    with Stubber(client) as stubber:
        for name in ("dlq", "queue"):
            stubber.add_response("get_queue_url", {"QueueUrl": f"https://sqs/{name}"}, {"QueueName": name})
            stubber.add_response("get_queue_attributes", {"Attributes": {"QueueArn": ARN + name}})
        yield SqsMoveTask(client, source="dlq", target="queue"), stubber


def _started(stubbed: Stubbed) -> SqsMoveTask:
    task, stubber = stubbed
    wanted = {"SourceArn": ARN + "dlq", "DestinationArn": ARN + "queue"}
    stubber.add_response("start_message_move_task", {"TaskHandle": HANDLE}, wanted)
    task.start()
    return task


def _tells(stubber: Stubber, **task: Any) -> None:
    wanted = {"SourceArn": ARN + "dlq", "MaxResults": 1}
    stubber.add_response("list_message_move_tasks", {"Results": [task] if task else []}, wanted)


def test_a_move_that_runs_tells_how_far_it_is(stubbed: Stubbed) -> None:
    task = _started(stubbed)
    counts = {"ApproximateNumberOfMessagesMoved": 3, "ApproximateNumberOfMessagesToMove": 7}
    _tells(stubbed[1], Status="RUNNING", **counts)

    assert task.progress() == MoveProgress(running=True, moved=3, total=7)


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLING", "CANCELLED"])
def test_a_move_that_has_ended_is_not_cancelled(stubbed: Stubbed, status: str) -> None:
    task = _started(stubbed)
    _tells(stubbed[1], Status=status, ApproximateNumberOfMessagesMoved=7)

    assert task.progress() == MoveProgress(running=False, moved=7, total=None)
    task.cancel()
    stubbed[1].assert_no_pending_responses()


def test_a_move_that_failed_says_why(stubbed: Stubbed) -> None:
    task = _started(stubbed)
    _tells(stubbed[1], Status="FAILED", FailureReason="CouldNotDetermineMessageSource")

    assert task.progress() == MoveProgress(running=False, moved=0, problem="CouldNotDetermineMessageSource")


def test_a_move_that_sqs_does_not_know_has_ended(stubbed: Stubbed) -> None:
    task = _started(stubbed)
    _tells(stubbed[1])

    assert task.progress() == MoveProgress(running=False, moved=0, problem="SQS does not list the move task")


def test_a_move_that_runs_can_be_cancelled_once(stubbed: Stubbed) -> None:
    task = _started(stubbed)
    stubbed[1].add_response("cancel_message_move_task", {}, {"TaskHandle": HANDLE})

    task.cancel()
    task.cancel()

    stubbed[1].assert_no_pending_responses()


def test_a_cancellation_that_fails_is_logged(stubbed: Stubbed, caplog: pytest.LogCaptureFixture) -> None:
    task = _started(stubbed)
    stubbed[1].add_client_error("cancel_message_move_task", "InternalError")

    task.cancel()

    assert [record.message for record in caplog.records] == [
        "could not cancel the move task, it may continue"
    ]


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.UnsupportedOperation", "AccessDenied", "500"])
def test_a_move_that_is_refused_names_the_code(stubbed: Stubbed, code: str) -> None:
    task, stubber = stubbed
    stubber.add_client_error("start_message_move_task", code)

    with pytest.raises(InfrastructureError, match=f"moving the messages of the queue dlq failed: {code}"):
        task.start()
    task.cancel()
