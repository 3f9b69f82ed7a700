"""Transcripts as files: one for each recording, in the form that the caller chose."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domain.model.errors import TranscriptionServiceError
from domain.services.subtitles.formats import subrip, webvtt
from entrypoints.cli.views.output import printable

if TYPE_CHECKING:
    from domain.services.batch_processing import BatchResult

MAX_NAMES = 3
"""Files that an error names."""


class TranscriptFormat(StrEnum):
    """Form of a transcript, and the suffix of its file."""

    TXT = "txt"  # the cleaned transcript
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"  # as the service answers


class TranscriptFileError(TranscriptionServiceError):
    """A transcript cannot be written to its file. The message names the file and the reason."""


def document_of(result: "BatchResult", form: TranscriptFormat) -> str:
    """Write a result in one of the forms, without characters that could control a terminal."""
    text = _written(result, form)
    return "".join(
        letter for letter in text if letter in {"\n", "\t"} or unicodedata.category(letter) != "Cc"
    )


def _written(result: "BatchResult", form: TranscriptFormat) -> str:
    match form:
        case TranscriptFormat.TXT:
            return f"{result.cleaned_transcript}\n" if result.cleaned_transcript else ""
        case TranscriptFormat.SRT:
            return subrip(result.transcript)
        case TranscriptFormat.VTT:
            return webvtt(result.transcript)
        case TranscriptFormat.JSON:
            from entrypoints.api.schemas import BatchResponse  # noqa: PLC0415 - one shape for both doors

            return BatchResponse.of(result).model_dump_json(indent=2) + "\n"


class TranscriptFolder:
    """Folder with a file for each recording, named like it; created, unless it exists.

    Raises:
        click.UsageError: files exist already and are not to be overwritten, two recordings would have one
            file, or the folder cannot be created.
    """

    def __init__(
        self, folder: Path, recordings: Iterable[Path], form: TranscriptFormat, *, overwrite: bool
    ) -> None:
        recordings = tuple(recordings)
        self._form = form
        self._mode = "w" if overwrite else "x"
        self._targets: Mapping[Path, Path] = {
            recording: folder / f"{recording.stem}.{form}" for recording in recordings
        }
        self._check_names(recordings)
        self._check_targets(overwrite=overwrite)
        _create(folder)

    def write(self, recording: Path, result: "BatchResult") -> Path:
        """Write the file of one recording, and return its path.

        Raises:
            TranscriptFileError: it cannot be written, or was created by another process meanwhile.
        """
        target, document = self._targets[recording], document_of(result, self._form)
        try:
            _write(target, self._mode, document)
        except FileExistsError as error:
            raise TranscriptFileError(
                f"{_name(target)} was created meanwhile, and is not overwritten."
            ) from error
        except OSError as error:
            raise TranscriptFileError(f"{_name(target)} cannot be written: {error.strerror}.") from error
        return target

    def _check_names(self, recordings: tuple[Path, ...]) -> None:
        counts = Counter(self._targets[recording] for recording in recordings)
        if doubled := [target for target, count in counts.items() if count > 1]:
            raise click.UsageError(
                f"Several recordings would be written to {_listed(doubled)}; use a folder for each."
            )

    def _check_targets(self, *, overwrite: bool) -> None:
        targets = self._targets.values()
        if own := [target for target in targets if target.resolve() in self._targets]:
            raise click.UsageError(f"{_listed(own)} would overwrite a recording; use another folder.")
        if not overwrite and (present := [target for target in targets if target.exists()]):
            raise click.UsageError(f"{_listed(present)} exists already; add --overwrite to replace it.")


def _write(target: Path, mode: str, document: str) -> None:
    with target.open(mode, encoding="utf-8", newline="\n") as file:
        try:
            file.write(document)
            file.flush()
        except OSError:
            target.unlink(missing_ok=True)  # half a transcript looks like a whole one
            raise


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"The folder {_name(folder)} cannot be created: {error.strerror}.") from error


def _listed(files: list[Path]) -> str:
    more = f" and {len(files) - MAX_NAMES} more" if len(files) > MAX_NAMES else ""
    return ", ".join(map(_name, files[:MAX_NAMES])) + more


def _name(file: Path) -> str:
    return printable(str(file))
