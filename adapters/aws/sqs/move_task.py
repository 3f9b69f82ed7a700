"""Amazon SQS's message move task for a dead-letter queue."""

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
    """Runs `StartMessageMoveTask`: one task for each dead-letter queue, at most 500 messages a second.

    The destination is explicit, because SQS has none for messages that EventBridge dead-lettered. AWS
    documents only moves from the dead-letter queue of another SQS queue, not of messages from elsewhere in
    it; a task that fails leaves them in the dead-letter queue.
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
        """Read the newest task of the dead-letter queue: SQS runs only one at a time, so it is ours."""
        with translate_infrastructure_errors(
            f"reading the progress of the move from the queue {self._names['source']}"
        ):
            tasks = self._client.list_message_move_tasks(SourceArn=self._source, MaxResults=1).get("Results")
        if not tasks:
            return MoveProgress(running=False, moved=0, problem="SQS does not list the move task")
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
        """Cancel the task, unless it is known to have ended."""
        if not self._handle:
            return
        try:
            with translate_infrastructure_errors("cancelling the move"):
                self._client.cancel_message_move_task(TaskHandle=self._handle)
        except InfrastructureError as error:
            logger.warning("could not cancel the move task, it may continue", extra={"error": str(error)})
        self._handle = ""

    @cached_property
    def _source(self) -> str:
        return self._arn("source")

    def _arn(self, role: str) -> str:
        address = self._client.get_queue_url(QueueName=self._names[role])["QueueUrl"]
        answer = self._client.get_queue_attributes(QueueUrl=address, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]
