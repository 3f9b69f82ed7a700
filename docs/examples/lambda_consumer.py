"""A consumer of BatchProcessingCompleted on AWS Lambda, with Powertools for AWS Lambda (Python).

Variables: IDEMPOTENCY_TABLE, a DynamoDB table with the partition key `id` (a string) and its time to live on
`expiration`; PAYLOAD_BUCKET, where large transcripts lie.
"""

import hashlib
import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

TEST_EVENT_LABEL = "urn:batch-transcription:test-event"
RETENTION_SECONDS = 28 * 24 * 3600  # 14 days in the queue, and 14 in the dead-letter queue

logger = Logger(service="transcripts-consumer")
s3 = boto3.client("s3")
processor = BatchProcessor(event_type=EventType.SQS)
config = IdempotencyConfig(
    event_key_jmespath="[interaction_id, replay]",
    expires_after_seconds=RETENTION_SECONDS,
    raise_on_no_idempotency_key=True,
)
bucket = os.environ[
    "PAYLOAD_BUCKET"
]  # from the configuration: the sender of an event must not choose the bucket
store = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])


class UnreadableEventError(Exception):
    """The event is not for this reader; it becomes a dead letter."""


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle up to ten messages; return those that failed, which are redelivered."""
    config.register_lambda_context(context)  # so that a timed-out try may be repeated
    return process_partial_response(event, process_message, processor, context)


def process_message(record: SQSRecord) -> None:
    """Handle one message; an exception makes it visible again, and a dead letter after three receives."""
    envelope = json.loads(record.body)
    if TEST_EVENT_LABEL in envelope["resources"]:
        return  # it only tests the route
    detail = envelope["detail"]
    if detail["version"].split(".")[0] not in {"1", "2"}:
        raise UnreadableEventError(f"version {detail['version']}")
    process_event(event={**detail, "replay": envelope.get("replay-name")})


@idempotent_function(data_keyword_argument="event", config=config, persistence_store=store)
def process_event(event: dict[str, Any]) -> None:
    """Run once for each interaction and replay; a failure deletes the key, so that it can be tried again.

    Return nothing: the result is stored in the table.
    """
    transcripts = transcripts_of(event)
    if transcripts is None:
        logger.warning("transcript erased", extra={"interaction_id": event["interaction_id"]})
        return
    save(event, transcripts)
    logger.info("event handled", extra={"interaction_id": event["interaction_id"]})  # never the texts


def transcripts_of(event: dict[str, Any]) -> dict[str, str] | None:
    """Return both texts: from the event, or with 2.0 from S3, verified by their hash; None if erased.

    Without s3:ListBucket, S3 answers AccessDenied for an object that was erased, and this fails.
    """
    if "transcript_ref" not in event["data"]:
        return event["data"]
    ref = event["data"]["transcript_ref"]
    try:
        content = s3.get_object(Bucket=bucket, Key=ref["key"])["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    if hashlib.sha256(content).hexdigest() != ref["sha256"]:
        raise UnreadableEventError("the transcripts in S3 are not those of the event")
    return json.loads(content)


def save(event: dict[str, Any], transcripts: dict[str, str]) -> None:
    """Put your work here."""
    logger.info(
        "saved", extra={"tenant_id": event["tenant_id"], "length": len(transcripts["cleaned_transcript"])}
    )
