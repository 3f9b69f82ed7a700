"""The transcriber, by itself: its workers load their engines while whoever starts them imports the rest."""

from adapters.speech.pool import WorkerPoolTranscriber
from bootstrap.extras import require
from bootstrap.settings import Settings


def transcriber_for(settings: Settings) -> WorkerPoolTranscriber:
    """The pool that the settings describe, not started yet.

    Raises:
        ConfigurationError: the engine is not installed.
    """
    require("speech", f"TRANSCRIBER={settings.transcriber}")
    return WorkerPoolTranscriber(
        settings.transcriber.value,
        workers=settings.transcriber_workers,
        waiting_room=settings.waiting_room,
        max_audio_seconds=settings.max_audio_seconds,
        stall_seconds=settings.transcriber_stall_seconds,
    )
