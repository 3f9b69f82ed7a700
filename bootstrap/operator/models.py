"""Models of the embedded engine: which are known, which are on this machine, and how one gets here."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bootstrap.choices import Transcriber
from bootstrap.extras import require
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError


class ModelStatus(NamedTuple):
    """One model, and where it is."""

    name: str  # as in TRANSCRIBER_MODEL
    repository: str | None  # on the hub; None for a folder
    folder: Path | None  # None: not on this machine, or not usable
    revision: str | None  # commit on the hub, "package" or "folder"
    problem: str | None  # why it cannot be used, although it is here


class FetchedModel(NamedTuple):
    """A model that is on this machine now."""

    name: str
    folder: Path
    revision: str
    was_here: bool


def selected_model(settings: Settings) -> str | None:
    """Return the model of the settings; None where another engine is chosen, whose models are not here."""
    return settings.transcriber_model if settings.transcriber is Transcriber.FASTER_WHISPER else None


def list_models(selected: str | None) -> Iterator[ModelStatus]:
    """Look for the selected model and for all known ones, without the network.

    Raises:
        ConfigurationError: the engine is not installed.
    """
    require("speech", "transcripts models")
    from adapters.speech.engines.models import KNOWN_MODELS  # noqa: PLC0415 - of an extra

    for name in dict.fromkeys([*([selected] if selected else []), *KNOWN_MODELS]):
        yield _status(name, None if Path(name).is_dir() else KNOWN_MODELS.get(name, name))


def fetch(name: str) -> FetchedModel:
    """Find a model on this machine, else fetch it from the hub.

    Raises:
        ConfigurationError: the engine is not installed, or the model cannot be found or fetched.
    """
    require("speech", "transcripts models")
    from adapters.speech.engines.models import fetch_model, find_model  # noqa: PLC0415 - of an extra

    found = find_model(name)
    model = found or fetch_model(name)
    return FetchedModel(*model, was_here=found is not None)


def _status(name: str, repository: str | None) -> ModelStatus:
    from adapters.speech.engines.models import find_model  # noqa: PLC0415 - of an extra

    try:
        found = find_model(name)
    except ConfigurationError as error:
        return ModelStatus(name, repository, None, None, str(error))
    if found is None:
        return ModelStatus(name, repository, None, None, None)
    return ModelStatus(name, repository, found.folder, found.revision, None)
