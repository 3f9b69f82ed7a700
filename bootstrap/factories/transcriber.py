"""The transcriber, without the container: its workers load while the service imports the rest."""

from adapters.speech.workers.pool import WorkerPoolTranscriber
from adapters.speech.workers.process import WorkerLimits, WorkerProcess
from bootstrap.choices import Transcriber
from bootstrap.extras import require
from bootstrap.settings import Settings


def transcriber_for(settings: Settings) -> WorkerPoolTranscriber:
    """Build the worker pool that the settings describe, without starting it.

    Raises:
        ConfigurationError: the engine is not installed.
    """
    workers = [worker_for(settings) for _ in range(settings.transcriber_workers)]
    return WorkerPoolTranscriber(workers, waiting_room=settings.waiting_room)


def worker_for(settings: Settings) -> WorkerProcess:
    """Build one worker that the settings describe, without starting it.

    Raises:
        ConfigurationError: the engine is not installed.
    """
    unused = frozenset(Transcriber) - {settings.transcriber}  # engines have the names of their modules
    require("speech", f"TRANSCRIBER={settings.transcriber}", but=unused)
    limits = WorkerLimits(
        max_audio_seconds=settings.max_audio_seconds, stall_seconds=settings.transcriber_stall_seconds
    )
    return WorkerProcess(settings.transcriber.value, limits)
