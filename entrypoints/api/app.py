"""FastAPI application: routes, problems and lifespan."""

import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import Match

from bootstrap.container import Container
from bootstrap.runtime.jobs import working_on_jobs
from bootstrap.runtime.outbox import sqlite_file
from bootstrap.runtime.relay import relaying
from entrypoints.api.description import describe
from entrypoints.api.jobs.waiting import JobWaits
from entrypoints.api.middleware import InteractionMiddleware
from entrypoints.api.problems import register_problems
from entrypoints.api.routers import batch, health, jobs
from entrypoints.api.semantics import HttpSemanticsMiddleware
from entrypoints.api.uploads.spool import UploadLimits, UploadSpool

logger = logging.getLogger(__name__)


def create_app(container: Container) -> FastAPI:
    """Build the application on a container; the server's lifespan events start and stop its parts."""
    settings = container.settings()
    database_file = sqlite_file(settings.database_url)
    app = FastAPIOffline(
        title="batch-transcription",
        summary="Transcribes recordings, cleans the transcripts, and publishes an event for each.",
        description="Errors are `application/problem+json` (RFC 9457).",
        version="0.1.0",
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},  # else the page asks an outside service
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.container = container
    app.state.spool = UploadSpool(
        settings.spool_dir,
        UploadLimits(
            max_bytes=settings.max_upload_bytes,
            max_concurrent=settings.max_concurrent_uploads,
            idle_seconds=settings.upload_idle_seconds,
            min_free_bytes=settings.min_free_bytes,
            database_folder=database_file.parent if database_file else None,
        ),
    )
    app.state.job_waits = JobWaits()
    app.add_middleware(
        HttpSemanticsMiddleware, prefix=settings.root_path, is_route=lambda path: _is_route(app, path)
    )
    app.add_middleware(InteractionMiddleware)  # added last, so that it comes first
    register_problems(app)
    app.include_router(batch.router)
    app.include_router(jobs.router)
    app.include_router(health.router)
    describe(app)
    return app


def _is_route(app: FastAPI, path: str) -> bool:
    request = {"type": "http", "method": "GET", "path": path}
    return any(route.matches(request)[0] is not Match.NONE for route in app.routes)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start spool, workers, relay and key renewal, and stop them after the last request."""
    container: Container = app.state.container
    container.batch_processing()  # reports a wrong configuration, and a disabled transport, at the start
    app.state.spool.open()
    transcriber = container.transcriber()
    await transcriber.start()
    with relaying(container), container.idempotent_requests().renewing():
        try:
            async with working_on_jobs(container):
                logger.info("service started", extra={"event_transport": container.event_transport().value})
                yield
        finally:
            await transcriber.stop()
            app.state.spool.close()
    logger.info("service stopped")
