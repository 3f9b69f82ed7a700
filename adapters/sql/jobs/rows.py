"""Conversion between rows of the jobs and values of the domain."""

import json
import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row

from adapters.sql.schema.tables import jobs
from domain.model.events.failed import FailureData
from domain.model.events.kinds import EventKind
from domain.model.identity import Identity
from domain.model.jobs import (
    FIRST_REVISION,
    Job,
    JobKey,
    JobOrder,
    JobProgress,
    JobStage,
    JobState,
    StoredRecording,
)
from domain.model.result_warnings import ResultWarning
from domain.model.transcripts import TranscriptionOptions

logger = logging.getLogger(__name__)

COLUMNS = tuple(column for column in jobs.c if column.name not in {"result", "key_hash", "key_scope"})
"""Columns of a job as callers see it: without its transcript."""

Parameters = dict[str, object]
JobRow = Row[*tuple[Any, ...]]

_warnings: TypeAdapter[tuple[ResultWarning, ...]] = TypeAdapter(tuple[ResultWarning, ...])


def new_row(order: JobOrder) -> Parameters:
    """Return the values of an INSERT; the database's clock sets the times."""
    recording, key = order.recording, order.key
    return {
        "id": order.id,
        "tenant_id": order.identity.tenant_id,
        "user_id": order.identity.user_id,
        "account_id": order.identity.account_id,
        "queue": order.queue,
        "state": JobState.QUEUED.value,
        "done_seconds": 0.0,
        "revision": FIRST_REVISION,
        "failures": 0,
        "retry_of": order.retry_of,
        "key_scope": key and key.scope,
        "key_hash": key and key_hash(key),
        "fingerprint": key and key.fingerprint,
        **recording_values(recording),
        "source_url": order.source_url,
        "event_kinds": ",".join(order.event_kinds),
        "options": order.options.model_dump_json(exclude_defaults=True),
        "caller_metadata": json.dumps(order.metadata, separators=(",", ":")),
        "warnings": _warnings.dump_json(order.warnings).decode(),
        "traceparent": order.traceparent,
    }


def recording_values(recording: StoredRecording | None) -> Parameters:
    """Return the columns that name a recording in its store."""
    return {
        "recording_key": recording and recording.key,
        "recording_sha256": recording and recording.sha256,
        "recording_size": recording and recording.size,
    }


def key_hash(key: JobKey) -> str:
    """Hash an idempotency key, which may be long and private to the caller."""
    return sha256(key.key.encode(errors="surrogatepass")).hexdigest()


def job_from(row: JobRow) -> Job:
    """Return the job of a row."""
    return Job(
        order=_order_from(row),
        state=JobState(row.state),
        progress=JobProgress(
            row.stage and JobStage(row.stage), row.done_seconds, row.total_seconds, row.eta_seconds
        ),
        revision=row.revision,
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        started_at=row.started_at and moment(row.started_at),
        finished_at=row.finished_at and moment(row.finished_at),
        problem=row.problem and FailureData.model_validate_json(row.problem),
        failures=row.failures,
        event_id=row.event_id,
        retried_as=row.retried_as,
    )


def readable(rows: Iterable[JobRow]) -> Iterator[Job]:
    """Yield the jobs of rows, without those that this version cannot read; they are logged, and stay."""
    for row in rows:
        try:
            yield job_from(row)
        except ValueError:
            logger.error("job left alone, this version cannot read it", extra={"interaction_id": str(row.id)})  # noqa: TRY400 - the trace would quote the row


def _order_from(row: JobRow) -> JobOrder:
    recording = row.recording_key and StoredRecording(
        row.recording_key, row.recording_sha256, row.recording_size
    )
    return JobOrder(
        id=row.id,
        identity=Identity(row.tenant_id, row.user_id, row.account_id),
        queue=row.queue,
        recording=recording or None,
        source_url=row.source_url,
        options=TranscriptionOptions.model_validate_json(row.options),
        metadata=json.loads(row.caller_metadata),
        warnings=_warnings.validate_json(row.warnings),
        event_kinds=tuple(map(EventKind, filter(None, row.event_kinds.split(",")))),
        retry_of=row.retry_of,
        traceparent=row.traceparent,
    )


def moment(seconds: float) -> datetime:
    """Return the moment so many seconds after 1970."""
    return datetime.fromtimestamp(seconds, UTC)
