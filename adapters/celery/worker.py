"""Workers of Celery: each of their threads works on one job at a time."""

import logging
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from celery import Celery, bootsteps, signals
from celery.exceptions import SecurityWarning

from adapters.celery.app import TASK, Broker, queue_name, worker_app
from adapters.celery.pool import WakingThreadPool
from domain.model.errors import ConfigurationError

logger = logging.getLogger(__name__)

POOL = "threads"


class JobRunner(Protocol):
    """Worker of jobs beside the threads of Celery."""

    has_failed: bool

    def start(self) -> None:
        """Start, and take no job yet."""
        ...

    def look_for_jobs(self) -> None:
        """Take jobs from now on, also without rings."""
        ...

    def run(self, job_id: UUID) -> None:
        """Work on a job until its end."""
        ...

    def stop_soon(self) -> None:
        """Queue the jobs at work again, without waiting for it; called by a signal handler."""
        ...

    def stop(self) -> None:
        """Stop, and wait for it."""
        ...


class WorkerStartError(SystemExit):
    """A worker could not start; Celery catches all errors but this kind.

    Attributes:
        error: the reason.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(2 if isinstance(error, ConfigurationError) else 1)
        self.error = error


class CeleryWorker:
    """Application of Celery whose workers have a runner, built for the number of their threads."""

    def __init__(
        self,
        broker: Broker,
        queues: Sequence[str],
        runner: Callable[[int], JobRunner],
        *,
        concurrency: int,  # threads, unless the command line of Celery says otherwise
    ) -> None:
        self.app: Celery = worker_app(broker, queues)
        self.app.conf.worker_concurrency = concurrency
        self._concurrency = concurrency
        self._queues = queues
        self._build = runner
        self._runner: JobRunner | None = None
        self._is_asked_to_stop = False
        self.app.task(self._transcribe, name=TASK)
        self.app.steps["worker"].add(_first_step(self._look_for_jobs))
        signals.setup_logging.connect(_leave_logging_alone)
        signals.worker_init.connect(self._start)
        signals.worker_shutting_down.connect(self._stop_soon)
        signals.worker_shutdown.connect(self._stop)

    def run(self) -> bool:
        """Work until SIGTERM or SIGINT, then queue the jobs at work again; False after an unexpected end.

        Raises:
            WorkerStartError: the worker could not start.
        """
        warnings.filterwarnings("ignore", category=SecurityWarning)  # for root, about pickle: ours are JSON
        worker = self.app.Worker(
            pool_cls=POOL,
            concurrency=self._concurrency,
            queues=[queue_name(each) for each in self._queues],
            loglevel=logging.getLogger().level,
            quiet=True,
            without_mingle=True,
            without_gossip=True,
        )
        worker.start()
        has_ended_well = self._is_asked_to_stop or not worker.exitcode  # Celery counts SIGINT as a failure
        return has_ended_well and self._runner is not None and not self._runner.has_failed

    def _transcribe(self, job_id: str) -> None:
        try:
            ring = UUID(job_id)
        except (ValueError, TypeError, AttributeError):
            logger.warning("message without the id of a job ignored")
            return
        if self._runner is not None:
            self._runner.run(ring)

    def _start(self, sender: Any, **_: object) -> None:  # noqa: ANN401 - Celery's worker
        try:
            _require_threads(sender.pool_cls)
            sender.pool_cls = WakingThreadPool
            self._runner = self._build(_number(sender.concurrency) or self._concurrency)
            self._runner.start()
        except Exception as error:
            logger.error("worker not started", extra={"error": str(error)})  # noqa: TRY400 - its text says all
            raise WorkerStartError(error) from error

    def _look_for_jobs(self) -> None:
        if self._runner is not None:
            self._runner.look_for_jobs()

    def _stop_soon(self, **_: object) -> None:
        self._is_asked_to_stop = True
        if self._runner is not None:
            self._runner.stop_soon()

    def _stop(self, sender: Any, **_: object) -> None:  # noqa: ANN401 - Celery's worker
        if self._runner is not None:
            self._runner.stop()
            if self._runner.has_failed:
                sender.exitcode = 1


def _first_step(start: Callable[[], None]) -> type[bootsteps.StartStopStep]:
    """Build a step of workers, which start once Celery handles signals, and before it needs a broker."""

    class FirstStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
        def start(self, _worker: object) -> None:
            start()

    return FirstStep


def _require_threads(pool: object) -> None:
    """Refuse pools of processes, each of which would start a transcriber of its own.

    Raises:
        ConfigurationError: it is such a pool.
    """
    name = pool if isinstance(pool, str) else getattr(pool, "__module__", "")
    if name.rpartition(".")[2] not in {POOL, "thread"}:
        raise ConfigurationError(f"The pool {name} cannot work on jobs; start the worker with --pool {POOL}.")


def _number(concurrency: object) -> int:
    return concurrency if isinstance(concurrency, int) else 0


def _leave_logging_alone(**_: object) -> None:
    """Keep Celery from setting up logging, which the process has done."""
