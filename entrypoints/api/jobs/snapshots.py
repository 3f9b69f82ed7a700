"""Snapshots of jobs, and the answers that consist of one."""

import hashlib
import math
import re
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from domain.model.events.event import Publication
from domain.model.events.failed import FailureData
from domain.model.jobs import Job, JobResult, JobState
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.services.batch_processing import BatchResult
from domain.services.jobs.jobs import RETRYABLE
from entrypoints.api.idempotency import KEY_HEADER
from entrypoints.api.jobs.schemas import (
    JobLinks,
    JobProblem,
    JobRecording,
    JobSnapshot,
    JobSource,
    Progress,
)
from entrypoints.api.problems import PROBLEM_TYPE, problem_of_job
from entrypoints.api.representations import JSON
from entrypoints.api.schemas import BatchResponse, EventOutcome
from ports.cleaner_port import CleanedTranscript

UNKNOWN_SECONDS, MIN_SECONDS, MAX_SECONDS = 5, 2, 60
"""`Retry-After` without an estimate, and its bounds."""
PRIVATE = {"Cache-Control": "private, no-cache"}
"""Headers of an answer that no shared cache may store, and no cache may give without asking."""

_KNOWN_HEADER = "If-None-Match"
_TAG = re.compile(r'(?:W/)?("[^"]*")')


def snapshot_of(job: Job, publication: Publication | None, root_path: str) -> JobSnapshot:
    """Describe a job; `publication` is that of its event, None before its end."""
    order = job.order
    return JobSnapshot(
        id=job.id,
        interaction_id=job.event_id or job.id,
        tenant_id=order.identity.tenant_id,
        user_id=order.identity.user_id,
        account_id=order.identity.account_id,
        state=job.state,
        stage=job.progress.stage,
        progress=Progress(
            done_seconds=job.progress.done_seconds,
            total_seconds=job.progress.total_seconds,
            eta_seconds=job.progress.eta_seconds,
        ),
        created_at=job.created_at,
        started_at=job.started_at,
        updated_at=job.updated_at,
        finished_at=job.finished_at,
        revision=job.revision,
        failures=job.failures,
        problem=None if job.problem is None else problem_in(job.problem),
        metadata=dict(order.metadata),
        options=order.options,
        recording=order.recording and JobRecording(size=order.recording.size, sha256=order.recording.sha256),
        source=None if order.source_url is None else JobSource(url=_without_secrets(order.source_url)),
        retry_of=order.retry_of,
        retried_as=job.retried_as,
        warnings=order.warnings + _replaced(job),
        event=None if publication is None else _outcome(publication),
        links=_links(job, root_path),
    )


def problem_in(failure: FailureData) -> JobProblem:
    """Describe the problem of a job as the API describes its own."""
    status, title = problem_of_job(failure.reason)
    return JobProblem(
        type=PROBLEM_TYPE + failure.reason,
        title=title,
        status=status.value,
        detail=failure.detail,
        retryable=failure.retryable,
    )


def batch_response(job: Job, result: JobResult, publication: Publication) -> BatchResponse:
    """Describe a completed job as `/batch/process` describes a recording."""
    return BatchResponse.of(
        BatchResult(
            interaction_id=job.event_id or job.id,
            identity=job.order.identity,
            transcript=result.transcript,
            cleaned=CleanedTranscript(result.cleaned_text, result.cleaner, result.fallbacks),
            publication=publication,
            request_warnings=job.order.warnings + _replaced(job),
        )
    )


def job_path(job_id: UUID, root_path: str) -> str:
    """Return the path of a job."""
    return f"{root_path}/batch/jobs/{job_id}"


def with_replaced_id(request: Request, snapshot: JobSnapshot) -> JobSnapshot:
    """Warn that the id of the request was taken; one with an idempotency key may have an earlier job."""
    wanted: UUID = request.state.interaction_id
    if snapshot.id == wanted or KEY_HEADER in request.headers:
        return snapshot
    detail = f"interaction id {wanted} belongs to another job or event; this job has the id {snapshot.id}"
    warning = ResultWarning(code=WarningCode.INTERACTION_ID_REPLACED, detail=detail)
    return snapshot.model_copy(update={"warnings": (*snapshot.warnings, warning)})


def accepted(snapshot: JobSnapshot) -> Response:
    """Answer with a job that was accepted, and says where to look after it."""
    response = shown(snapshot, HTTPStatus.ACCEPTED)
    response.headers["Location"] = snapshot.links.self_
    return response


def shown(snapshot: JobSnapshot, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Answer with a job; the entity tag is new even where its event alone has changed."""
    body = snapshot.model_dump_json(by_alias=True).encode()
    tag = f'"{snapshot.revision}-{hashlib.sha256(body).hexdigest()[:16]}"'
    return Response(body, status, {"ETag": tag, **PRIVATE, **_retry_after(snapshot)}, JSON)


def is_current(request: Request, response: Response) -> bool:
    """Return True unless the caller has another snapshot than this one."""
    return _KNOWN_HEADER not in request.headers or _is_known(request, response)


def not_modified(request: Request, response: Response) -> Response | None:
    """Return 304 where the caller has this snapshot already (RFC 9110, section 13.1.2), else None."""
    if not _is_known(request, response):
        return None
    kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)


def _is_known(request: Request, response: Response) -> bool:
    header = ",".join(request.headers.getlist(_KNOWN_HEADER))
    return header.strip() == "*" or response.headers["ETag"] in _TAG.findall(header)


def _retry_after(snapshot: JobSnapshot) -> dict[str, str]:
    if snapshot.state.is_final:
        return {}
    eta = snapshot.progress.eta_seconds
    seconds = UNKNOWN_SECONDS if eta is None else min(max(math.ceil(eta), MIN_SECONDS), MAX_SECONDS)
    return {"Retry-After": str(seconds)}


def _links(job: Job, root_path: str) -> JobLinks:
    path = job_path(job.id, root_path)
    has_recording = job.order.recording is not None or job.order.source_url is not None
    may_retry = job.state in RETRYABLE and has_recording and job.retried_as is None
    return JobLinks(
        self_=path,
        events=f"{path}/events",
        transcript=f"{path}/transcript" if job.state is JobState.COMPLETED else None,
        retry=f"{path}/retry" if may_retry else None,
        cancel=None if job.state.is_final else path,
    )


def _outcome(publication: Publication) -> EventOutcome:
    event_id = publication.event_id
    return EventOutcome(status=publication.status, event_id=None if event_id is None else str(event_id))


def _replaced(job: Job) -> tuple[ResultWarning, ...]:
    """Warn that the job's event has another id than the job."""
    if job.event_id in {None, job.id}:
        return ()
    detail = f"interaction id {job.id} belongs to another event; this event has the id {job.event_id}"
    return (ResultWarning(code=WarningCode.INTERACTION_ID_REPLACED, detail=detail),)


def _without_secrets(url: str) -> str:
    """Leave out user information, query and fragment of a URL: a presigned one is a password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
