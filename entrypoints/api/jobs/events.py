"""Server-sent events of a job (HTML standard, section 9.2): snapshots until its end."""

import asyncio
import logging
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from domain.model.errors import JobNotFoundError, JobStoreUnavailableError, OutboxUnavailableError
from domain.model.jobs import Job
from entrypoints.api.jobs.context import JobContext
from entrypoints.api.jobs.schemas import JobSnapshot

logger = logging.getLogger(__name__)

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Headers that keep caches and proxies from holding events back."""
HEARTBEAT_SECONDS = 15.0
"""Longest silence: proxies close connections on which nothing moves."""
HEARTBEAT = ": heartbeat\n\n"
RETRY_MILLISECONDS = 3000
"""Delay of a client before it connects again."""
LAST_EVENT_HEADER = "Last-Event-ID"


async def event_stream(request: Request, context: JobContext, job: Job) -> Response:
    """Answer with the events of a job, from its present state on.

    A client that has the final state already is told to connect no more, by 204.
    """
    if job.state.is_final and request.headers.get(LAST_EVENT_HEADER) == str(job.revision):
        return Response(status_code=204)
    first = await context.snapshot(job)  # its errors are problems still
    messages = no_messages() if request.state.is_head else events(context, job, first)
    return StreamingResponse(messages, headers=HEADERS, media_type=MEDIA_TYPE)


async def events(
    context: JobContext, job: Job, snapshot: JobSnapshot, *, heartbeat_seconds: float = HEARTBEAT_SECONDS
) -> AsyncIterator[str]:
    """Yield a job's snapshots from the given one on, while the caller's credentials are valid.

    An outage of the store delays the next one.
    """
    yield f"retry: {RETRY_MILLISECONDS}\n\n{_message(snapshot)}"
    while not snapshot.state.is_final:
        has_changed = await context.changed(job, timeout_seconds=heartbeat_seconds)
        if context.waits.is_ending or not await context.admission.holds():
            return
        try:
            if has_changed:
                job, snapshot = await _present(context, job)
                yield _message(snapshot)
                continue
        except JobNotFoundError:  # erased meanwhile
            return
        except (JobStoreUnavailableError, OutboxUnavailableError) as error:
            logger.warning("events of a job delayed, the store is unavailable", extra={"error": str(error)})
        yield HEARTBEAT


async def _present(context: JobContext, job: Job) -> tuple[Job, JobSnapshot]:
    present = await asyncio.to_thread(context.jobs.find, job.order.identity.tenant_id, job.id)
    return present, await context.snapshot(present)


def _message(snapshot: JobSnapshot) -> str:
    name = snapshot.state.value if snapshot.state.is_final else "progress"
    data = snapshot.model_dump_json(by_alias=True)
    return f"id: {snapshot.revision}\nevent: {name}\ndata: {data}\n\n"


async def no_messages() -> AsyncIterator[str]:
    """Yield nothing: the answer to HEAD has no content."""
    messages: tuple[str, ...] = ()
    for message in messages:
        yield message
