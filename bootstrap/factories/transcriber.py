"""The transcriber, by itself: its workers load their engines while whoever starts them imports the rest."""

from adapters.speech.workers.pool import WorkerPoolTranscriber
from bootstrap.extras import require
from bootstrap.settings import Settings, Transcriber


def transcriber_for(settings: Settings) -> WorkerPoolTranscriber:
    """The pool that the settings describe, not started yet.

    Raises:
        ConfigurationError: the engine is not installed.
    """
    unused = frozenset(Transcriber) - {settings.transcriber}  # the engines are called as their modules are
    require("speech", f"TRANSCRIBER={settings.transcriber}", but=unused)
    return WorkerPoolTranscriber(
        settings.transcriber.value,
        workers=settings.transcriber_workers,
        waiting_room=settings.waiting_room,
        max_audio_seconds=settings.max_audio_seconds,
        stall_seconds=settings.transcriber_stall_seconds,
    )
