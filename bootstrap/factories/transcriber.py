"""The transcriber, without the container: its workers load while the service imports the rest."""

from adapters.speech.workers.pool import WorkerPoolTranscriber
from adapters.speech.workers.process import WorkerLimits, WorkerProcess
from bootstrap.extras import require
from bootstrap.settings import Settings, Transcriber


def transcriber_for(settings: Settings) -> WorkerPoolTranscriber:
    """Build the worker pool that the settings describe, without starting it.

    Raises:
        ConfigurationError: the engine is not installed.
    """
    unused = frozenset(Transcriber) - {settings.transcriber}  # engines have the names of their modules
    require("speech", f"TRANSCRIBER={settings.transcriber}", but=unused)
    limits = WorkerLimits(
        max_audio_seconds=settings.max_audio_seconds, stall_seconds=settings.transcriber_stall_seconds
    )
    engine, count = settings.transcriber.value, settings.transcriber_workers
    workers = [WorkerProcess(engine, limits) for _ in range(count)]
    return WorkerPoolTranscriber(workers, waiting_room=settings.waiting_room)
