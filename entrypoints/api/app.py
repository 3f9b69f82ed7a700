"""FastAPI application: routes, problems and lifespan."""

import contextlib
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.routing import Match

from bootstrap.container import Container
from bootstrap.factories.database import sqlite_file
from bootstrap.runtime.jobs import working_on_jobs
from bootstrap.runtime.playback import keeping_copies
from bootstrap.runtime.relay import relaying
from bootstrap.settings import Settings
from entrypoints.api.description import describe
from entrypoints.api.docs_page.page import add_docs_page
from entrypoints.api.jobs.waiting import JobWaits
from entrypoints.api.metrics import MetricsMiddleware
from entrypoints.api.middleware import InteractionMiddleware
from entrypoints.api.problem_handlers import register_problems
from entrypoints.api.routers import batch, console, health, jobs, operations, recordings
from entrypoints.api.semantics import HttpSemanticsMiddleware
from entrypoints.api.traces import TraceMiddleware
from entrypoints.api.uploads.spool import UploadLimits, UploadSpool
from entrypoints.console.pages import add_console

logger = logging.getLogger(__name__)

NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""The framework would record the messages of errors, which may quote a transcript, as soon as a process has a
global provider."""


def create_app(container: Container) -> FastAPI:
    """Build the application on a container; the server's lifespan events start and stop its parts."""
    settings = container.settings()
    app = FastAPI(
        title="batch-transcription",
        summary="Transcribes recordings, cleans the transcripts, and publishes an event for each.",
        description="Errors are `application/problem+json` (RFC 9457).",
        version="0.1.0",
        docs_url=None,  # the framework's page takes its scripts from another host
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    app.state.container = container
    app.state.spool = _upload_spool(settings)
    app.state.job_waits = JobWaits()
    app.state.storing = ThreadPoolExecutor(
        settings.max_concurrent_uploads, thread_name_prefix="store-recording"
    )
    _add_middleware(app, container)
    register_problems(app)
    app.include_router(batch.router)
    app.include_router(jobs.router)
    app.include_router(recordings.router)
    app.include_router(operations.router)
    app.include_router(health.router)
    add_docs_page(app)
    if settings.has_console:
        app.include_router(console.router)
        add_console(app)
    describe(app, settings.auth)
    return app


def _upload_spool(settings: Settings) -> UploadSpool:
    database_file = sqlite_file(settings.database_url)
    limits = UploadLimits(
        max_bytes=settings.max_upload_bytes,
        max_concurrent=settings.max_concurrent_uploads,
        idle_seconds=settings.upload_idle_seconds,
        min_free_bytes=settings.min_free_bytes,
        database_folder=database_file.parent if database_file else None,
    )
    return UploadSpool(settings.spool_dir, limits)


def _add_middleware(app: FastAPI, container: Container) -> None:
    """Add what comes before the routes; what is added last comes first."""
    if (recorder := container.request_metrics()) is not None:
        app.add_middleware(MetricsMiddleware, recorder=recorder)
    prefix = container.settings().root_path
    app.add_middleware(HttpSemanticsMiddleware, prefix=prefix, is_route=lambda path: _is_route(app, path))
    app.add_middleware(InteractionMiddleware)
    if (trace := container.trace()).is_on:
        app.add_middleware(TraceMiddleware, trace=trace)


def _is_route(app: FastAPI, path: str) -> bool:
    request = {"type": "http", "method": "GET", "path": path}
    return any(route.matches(request)[0] is not Match.NONE for route in app.routes)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start spool, workers, relay and key renewal, and stop them after the last request."""
    container: Container = app.state.container
    container.authenticator()  # reports a wrong configuration at the start, as the next one does
    container.batch_processing()  # and a disabled transport
    app.state.spool.open()
    transcriber = container.transcriber()
    await transcriber.start()
    with relaying(container), container.idempotent_requests().renewing():
        try:
            async with working_on_jobs(container), keeping_copies(container):
                logger.info("service started", extra={"event_transport": str(container.event_transport())})
                yield
        finally:
            await transcriber.stop()
            app.state.spool.close()
    logger.info("service stopped")
