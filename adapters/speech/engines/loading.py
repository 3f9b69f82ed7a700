"""Speech engines by name."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from adapters.speech.engines.engine import SpeechEngine
from domain.model.errors import ConfigurationError

ENGINES = ("faster-whisper", "canned")
"""Names that `load_engine` accepts."""


class EngineSettings(BaseModel):
    """Settings with which an engine is loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str  # one of `ENGINES`
    model: str = ""  # name of the model, as in TRANSCRIBER_MODEL
    folder: Path | None = None  # the model's files
    revision: str = ""  # where they come from: a commit on the hub, "package" or "folder"
    device: str = "cpu"
    compute_type: str = "default"  # numbers to calculate with, as CTranslate2 names them
    threads: int = 1  # of one unit


def load_engine(settings: EngineSettings) -> SpeechEngine:
    """Load one of `ENGINES`, its libraries and its model.

    Raises:
        ConfigurationError: there is no engine of that name, or its model is missing.
    """
    match settings.name:
        case "faster-whisper":
            from adapters.speech.engines.faster_whisper import FasterWhisperEngine  # noqa: PLC0415 - a second

            if settings.folder is None:
                raise ConfigurationError("faster-whisper needs the folder of a model.")
            return FasterWhisperEngine(
                settings.folder,
                settings.model,
                device=settings.device,
                compute_type=settings.compute_type,
                threads=settings.threads,
            )
        case "canned":
            from adapters.speech.engines.canned import CannedEngine  # noqa: PLC0415 - as the other

            return CannedEngine()
    raise ConfigurationError(f"TRANSCRIBER is {settings.name!r}; it may be {' or '.join(ENGINES)}.")
