"""Amazon SQS moves a dead-letter queue by itself."""

import logging
from functools import cached_property
from typing import TYPE_CHECKING

from adapters.aws.errors import translate_infrastructure_errors
from domain.model.errors import InfrastructureError
from ports.move_task_port import MoveProgress, MoveTaskPort

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

RUNNING = "RUNNING"
FAILED = "FAILED"


class SqsMoveTask(MoveTaskPort):
    """`StartMessageMoveTask`: one at a time for each dead-letter queue, at most 500 messages a second.

    The destination is named, because SQS knows no other for what EventBridge put into the dead-letter queue.
    AWS documents that it moves only from the dead-letter queue of another SQS queue, and does not say what
    becomes of messages from elsewhere in it: a task that fails leaves them where they are.
    """

    def __init__(self, client: "SQSClient", *, source: str, target: str) -> None:
        self._client = client
        self._names = {"source": source, "target": target}
        self._handle = ""

    def start(self) -> None:
        """Start the task."""
        with translate_infrastructure_errors(f"moving the messages of the queue {self._names['source']}"):
            answer = self._client.start_message_move_task(
                SourceArn=self._source, DestinationArn=self._arn("target")
            )
            self._handle = answer["TaskHandle"]

    def progress(self) -> MoveProgress:
        """The newest task of the dead-letter queue is ours: SQS lets no other one start beside it."""
        with translate_infrastructure_errors(
            f"looking after the move from the queue {self._names['source']}"
        ):
            tasks = self._client.list_message_move_tasks(SourceArn=self._source, MaxResults=1)["Results"]
        if not tasks:
            return MoveProgress(running=False, moved=0, problem="SQS does not know of it")
        (task,) = tasks
        running = task["Status"] == RUNNING
        if not running:
            self._handle = ""
        return MoveProgress(
            running=running,
            moved=task.get("ApproximateNumberOfMessagesMoved", 0),
            total=task.get("ApproximateNumberOfMessagesToMove"),
            problem=task.get("FailureReason", FAILED) if task["Status"] == FAILED else "",
        )

    def cancel(self) -> None:
        """Cancel the task, unless it was seen to have ended."""
        if not self._handle:
            return
        try:
            with translate_infrastructure_errors("cancelling the move"):
                self._client.cancel_message_move_task(TaskHandle=self._handle)
        except InfrastructureError as error:
            logger.warning("the move may go on by itself", extra={"error": str(error)})
        self._handle = ""

    @cached_property
    def _source(self) -> str:
        return self._arn("source")

    def _arn(self, role: str) -> str:
        address = self._client.get_queue_url(QueueName=self._names[role])["QueueUrl"]
        answer = self._client.get_queue_attributes(QueueUrl=address, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]
