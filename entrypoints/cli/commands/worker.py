"""`transcripts worker`: works on jobs in a process of its own."""

import asyncio
import gc
import signal
from typing import TYPE_CHECKING

import click

from entrypoints.cli.runtime.configuration import configure
from entrypoints.cli.runtime.parameters import PatternType
from entrypoints.cli.runtime.signals import STOPPING, exit_on_signal
from entrypoints.cli.views.output import EXIT_FAILED, EXIT_OK, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from bootstrap.container import Container
    from bootstrap.settings import Settings

EXIT_IDLE = 3
"""No job was due."""
SIGNALLED = 128
"""Added to the number of the signal that ended `--once`, as shells do."""

QUEUE = PatternType("QUEUE", r"[a-z0-9_-]{1,16}", "queue: 1 to 16 small letters, digits, - or _")


@click.command("worker")
@click.option(
    "--queue",
    "queues",
    type=QUEUE,
    multiple=True,
    metavar="NAME",
    help="Take jobs of this queue; may be repeated. [default: JOB_QUEUE]",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Jobs at the same time. [default: JOB_WORKERS, else the number of cores]",
)
@click.option("--once", is_flag=True, help="Work on one job that is due, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: of --once, or of a failure.")
@click.pass_context
def command(
    ctx: click.Context, queues: tuple[str, ...], concurrency: int | None, *, once: bool, as_json: bool
) -> None:
    """Work on jobs until SIGTERM or SIGINT; then queue the jobs at work again, and exit with 0.

    Jobs come from the database, and with JOB_BROKER by Celery, too. Any number of workers may run at once.

    With --once, exit code 0 means that the job has ended or has been queued again after a failure, 3 that no
    job was due, 143 and 130 that SIGTERM or SIGINT stopped the work and the job is queued again. Jobs come
    from the database alone.
    """
    exit_on_signal()
    settings = configure(default_log_level="INFO")
    _require_engine(settings)
    chosen = queues or (settings.job_queue,)
    if once:
        ctx.exit(_once(_container(settings, chosen, 1), as_json=as_json))
    if settings.job_broker is not None:
        ctx.exit(_with_celery(settings, chosen, concurrency))
    asyncio.run(_work(_container(settings, chosen, concurrency)))


def _require_engine(settings: "Settings") -> None:
    from bootstrap.extras import require  # noqa: PLC0415 - not for `--help`

    require("speech", "transcripts worker")
    if settings.job_broker is not None:
        require("celery", "JOB_BROKER")


def _container(settings: "Settings", queues: "Sequence[str]", concurrency: int | None) -> "Container":
    from bootstrap.runtime import workers  # noqa: PLC0415 - slow to import

    container = workers.worker_container(settings, queues, concurrency or workers.default_places(settings))
    workers.announce_worker(container)
    gc.freeze()  # loaded modules stay: garbage collection need not scan them again
    return container


def _with_celery(settings: "Settings", queues: "Sequence[str]", concurrency: int | None) -> int:
    from bootstrap.runtime.celery_worker import run_celery_worker  # noqa: PLC0415 - slow to import
    from bootstrap.runtime.workers import default_places  # noqa: PLC0415 - same

    places = concurrency or default_places(settings)
    return EXIT_OK if run_celery_worker(settings, queues, places) else EXIT_FAILED


async def _work(container: "Container") -> None:
    from bootstrap.runtime.metrics import exposing_metrics  # noqa: PLC0415 - slow to import
    from bootstrap.runtime.workers import serving_jobs  # noqa: PLC0415 - same

    stop = _stop_on_signal()
    with exposing_metrics(container, has_transcriber=True):
        async with serving_jobs(container) as worker:
            work = asyncio.create_task(worker.run(), name="job-worker")
            await _until_first(work, stop)


def _once(container: "Container", *, as_json: bool) -> int:
    job_id, code = asyncio.run(_work_once(container))
    if as_json:
        print_json(
            {
                "ok": True,
                "job": None if job_id is None else {"id": job_id, "state": _state(container, job_id)},
            }
        )
    return code


async def _work_once(container: "Container") -> "tuple[UUID | None, int]":
    from bootstrap.runtime.workers import event_published, serving_jobs  # noqa: PLC0415 - slow to import

    stop = _stop_on_signal()
    async with serving_jobs(container) as worker:
        work = asyncio.create_task(worker.run_one(), name="job-worker")
        if (number := await _until_first(work, stop)) is not None:
            return None, SIGNALLED + number
        job_id = work.result()
        if job_id is None:
            return None, EXIT_IDLE
        await event_published(container, job_id)
        return job_id, EXIT_OK


def _state(container: "Container", job_id: "UUID") -> str | None:
    job = container.jobs().find(job_id)
    return None if job is None else job.state.value


def _stop_on_signal() -> "asyncio.Future[int]":
    """Return a future of the signal that is to stop this process."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[int] = loop.create_future()
    for number in STOPPING:
        loop.add_signal_handler(number, _set, stop, number)
    return stop


def _set(stop: "asyncio.Future[int]", number: signal.Signals) -> None:
    if not stop.done():
        stop.set_result(number)


async def _until_first(work: "asyncio.Task[object]", stop: "asyncio.Future[int]") -> int | None:
    """Wait for the end of the work, or for a signal, which ends it; return the signal."""
    await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        work.result()
        return None
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    return stop.result()
