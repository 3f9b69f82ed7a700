"""Programs that a worker process can run: a reader of recordings, or a recogniser with one engine."""

from pydantic import BaseModel, ConfigDict

from adapters.speech.engines.loading import EngineSettings
from domain.model.speech import SPEECH_THRESHOLD

BASE_ADDRESS_SPACE_BYTES = 2**30
"""Address space of a worker without its model; its libraries take 400 MiB of it."""


class Program(BaseModel):
    """Program of a worker process, which gets this as its argument."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineSettings | None = None  # of a recogniser; None: a reader
    # reader: probability from which a frame is speech; None takes all sound for speech
    threshold: float | None = SPEECH_THRESHOLD

    @property
    def name(self) -> str:
        """Name for logs and errors."""
        return "reader" if self.engine is None else self.engine.name

    def address_space_bytes(self) -> int | None:
        """Return the address space that the program may take; None: a GPU's driver maps more than there is.

        Whisper's weights are converted while they are loaded, so that they are in memory twice, and more.
        """
        if self.engine is None or self.engine.folder is None:
            return BASE_ADDRESS_SPACE_BYTES
        if self.engine.device == "cuda":
            return None
        files = self.engine.folder.iterdir()
        return BASE_ADDRESS_SPACE_BYTES + 4 * sum(file.stat().st_size for file in files)
