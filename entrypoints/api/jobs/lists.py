"""Lists of jobs, and the server-sent events of one: the page, then each change of it."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from domain.model.errors import JobStoreUnavailableError, OutboxUnavailableError
from domain.model.jobs import JobPage, JobQuery
from entrypoints.api.jobs.context import JobContext
from entrypoints.api.jobs.events import (
    HEADERS,
    HEARTBEAT,
    HEARTBEAT_SECONDS,
    MEDIA_TYPE,
    RETRY_MILLISECONDS,
    no_messages,
)
from entrypoints.api.jobs.queries import next_page
from entrypoints.api.jobs.schemas import JobList

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Longest delay until a change of the list is noticed."""


class _PlacedStream(StreamingResponse):
    """Stream that gives its place back, also where it ends before its first message."""

    def __init__(self, messages: AsyncIterator[str], place: ExitStack) -> None:
        super().__init__(messages, headers=HEADERS, media_type=MEDIA_TYPE)
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place:
            await super().__call__(scope, receive, send)


async def listed(request: Request, context: JobContext, asked: JobQuery) -> JobList:
    """Read a page of the caller's jobs.

    Raises:
        JobStoreUnavailableError, OutboxUnavailableError: jobs, or their events, cannot be read.
    """
    page: JobPage = await asyncio.to_thread(context.jobs.page, asked)
    snapshots = tuple(await context.snapshots(page.jobs))
    return JobList(jobs=snapshots, next=next_page(request, page.next))


async def list_stream(request: Request, context: JobContext, asked: JobQuery) -> Response:
    """Answer with a page and its changes; beyond the limit of such streams, with 204, which asks no more."""
    with ExitStack() as place:
        if not place.enter_context(context.waits.streaming(context.identity.tenant_id)):
            return Response(status_code=204)
        first = await listed(request, context, asked)  # its errors are problems still
        messages = no_messages() if request.state.is_head else changes(request, context, asked, first)
        return _PlacedStream(messages, place.pop_all())


async def changes(
    request: Request, context: JobContext, asked: JobQuery, page: JobList
) -> AsyncIterator[str]:
    """Yield a page and its changes until the process, or the caller's credentials, end.

    An outage of the store delays the next one.
    """
    yield f"retry: {RETRY_MILLISECONDS}\n\n{_message('jobs', page)}"
    spoke_at = time.monotonic()
    while await context.waits.pause(POLL_SECONDS) and await context.admission.holds():
        present = await _present(request, context, asked)
        messages = [] if present is None else [*_differences(page, present)]
        if not messages and time.monotonic() - spoke_at < HEARTBEAT_SECONDS:
            continue
        page, spoke_at = present or page, time.monotonic()
        yield "".join(messages) or HEARTBEAT


async def _present(request: Request, context: JobContext, asked: JobQuery) -> JobList | None:
    try:
        return await listed(request, context, asked)
    except (JobStoreUnavailableError, OutboxUnavailableError) as error:
        logger.warning("changes of jobs delayed, the store is unavailable", extra={"error": str(error)})
        return None


def _differences(before: JobList, now: JobList) -> Iterator[str]:
    """Yield the whole page where other jobs are on it, else the jobs that have changed."""
    known = {job.id: job for job in before.jobs}
    if [*known] != [job.id for job in now.jobs] or before.next != now.next:
        yield _message("jobs", now)
        return
    for job in now.jobs:
        if job != known[job.id]:
            yield _message("job", job)


def _message(name: str, content: BaseModel) -> str:
    return f"event: {name}\ndata: {content.model_dump_json(by_alias=True)}\n\n"
