"""Workers of Celery, built from the settings."""

from collections.abc import Sequence

from adapters.celery.worker import CeleryWorker, WorkerStartError
from bootstrap.factories.jobs import job_broker
from bootstrap.runtime.job_thread import JobThread
from bootstrap.runtime.workers import announce_worker, worker_container
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError


def celery_worker(settings: Settings, queues: Sequence[str], concurrency: int) -> CeleryWorker:
    """Build a worker for the broker of the settings; it builds its container when it starts.

    Raises:
        ConfigurationError: JOB_BROKER is not set.
    """
    if settings.job_broker is None:
        raise ConfigurationError(
            "A worker of Celery needs JOB_BROKER, such as redis://localhost:6379/0; without a broker, run"
            " `transcripts worker`."
        )

    def runner(threads: int) -> JobThread:
        container = worker_container(settings, queues, threads, awaits_rings=True)
        announce_worker(container)
        return JobThread(container)

    broker = job_broker(settings, settings.job_broker.get_secret_value())
    return CeleryWorker(broker, queues, runner, concurrency=concurrency)


def run_celery_worker(settings: Settings, queues: Sequence[str], concurrency: int) -> bool:
    """Run a worker until SIGTERM or SIGINT; False after an unexpected end.

    Raises:
        Exception: the start of the worker raised it.
    """
    try:
        return celery_worker(settings, queues, concurrency).run()
    except WorkerStartError as end:
        raise end.error from None
