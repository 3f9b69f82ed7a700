"""Speech engines by name."""

from adapters.speech.engines.engine import SpeechEngine
from domain.model.errors import ConfigurationError

ENGINES = ("pocketsphinx", "canned")
"""Names that `load_engine` accepts."""


def load_engine(name: str) -> SpeechEngine:
    """Load one of `ENGINES`, its libraries and its model.

    Raises:
        ConfigurationError: there is no engine of that name.
    """
    match name:
        case "pocketsphinx":
            from adapters.speech.engines.pocketsphinx import PocketsphinxEngine  # noqa: PLC0415 - half a second and 100 MB

            return PocketsphinxEngine()
        case "canned":
            from adapters.speech.engines.canned import CannedEngine  # noqa: PLC0415 - brings FFmpeg

            return CannedEngine()
    raise ConfigurationError(f"TRANSCRIBER is {name!r}; it may be {' or '.join(ENGINES)}.")
