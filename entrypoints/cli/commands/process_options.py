"""Options of `transcripts process` and `jobs submit`: the owner, what is spoken, and where transcripts go."""

from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from domain.model.errors import InvalidIdentityError
from domain.model.identity import ACCOUNT_HEADER, TENANT_HEADER, USER_HEADER, resolve_identity, uuid4_or_none
from domain.model.transcripts import Channels, Tracks, TranscriptionOptions, terms_of
from entrypoints.cli.runtime.parameters import PathTo
from entrypoints.cli.views.transcript_files import TranscriptFolder, TranscriptFormat

if TYPE_CHECKING:
    from bootstrap.settings import Settings

Command = Callable[..., object]

_IDENTITY = (
    click.option(
        "--tenant", metavar="UUID", help="Tenant id, a UUID v4. [default: MOCK_TENANT_ID, else generated]"
    ),
    click.option("--user", metavar="ID", help="User id. [default: MOCK_USER_ID, else system]"),
    click.option("--account", metavar="ID", help="Account id within the tenant. [default: none]"),
)
_SPEECH = (
    click.option(
        "--channels",
        type=click.Choice(Channels, case_sensitive=False),
        default=Channels.MIXED,
        help="Mix the channels, or transcribe each by itself. [default: mixed]",
    ),
    click.option(
        "--tracks",
        type=click.Choice(Tracks, case_sensitive=False),
        default=Tracks.ONE,
        help="Transcribe one sound track (the default one, else the first with sound), or each."
        " [default: one]",
    ),
    click.option(
        "--language",
        metavar="CODE",
        help="Language that is spoken, such as en. [default: TRANSCRIBER_LANGUAGE, else as the engine finds]",
    ),
    click.option(
        "--vocabulary",
        metavar="TERMS",
        multiple=True,
        help="Names and product words that are likely to be spoken, with commas between them; may be"
        " repeated.",
    ),
)
_FILES = (
    click.option(
        "--format",
        "form",
        type=click.Choice(TranscriptFormat, case_sensitive=False),
        help="Cleaned text, subtitles, or the answer of the service: on stdout for a single file, else in"
        " --output. [default: txt, with --output]",
    ),
    click.option(
        "--output",
        "folder",
        metavar="DIR",
        type=PathTo(file_okay=False, path_type=Path),
        help="Folder with a file for each recording, named like it; created, unless it exists.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace files in --output that exist already."),
)


def identity_options(command: Command) -> Command:
    """Add the options that name the owner of the transcripts."""
    return _with(_IDENTITY, command)


def identity_headers(
    settings: "Settings", tenant: str | None, user: str | None, account: str | None
) -> dict[str, str]:
    """Return the headers of the service; a tenant that the service would replace is refused here.

    Raises:
        click.UsageError: a value is none that the service accepts.
    """
    if tenant is not None and uuid4_or_none(tenant) is None:
        raise click.BadParameter(f"{tenant!r} is no UUID v4", param_hint="--tenant")
    defaults = settings.identity_defaults
    if tenant is None and defaults.tenant_id is None and defaults.is_strict:
        raise click.UsageError("IDENTITY=strict needs --tenant or MOCK_TENANT_ID.")
    given = {TENANT_HEADER: tenant, USER_HEADER: user, ACCOUNT_HEADER: account}
    headers = {name: value for name, value in given.items() if value is not None}
    try:
        resolve_identity(headers, defaults)
    except InvalidIdentityError as error:
        raise click.UsageError(str(error)) from error
    return headers


def speech_options(command: Command) -> Command:
    """Add the options under the names of the fields of `TranscriptionOptions`."""
    return _with(_SPEECH, command)


def file_options(command: Command) -> Command:
    """Add the options that choose form and place of the transcripts."""
    return _with(_FILES, command)


def transcription_options(
    channels: Channels, tracks: Tracks, language: str | None, vocabulary: Sequence[str]
) -> TranscriptionOptions:
    """Check the speech options.

    Raises:
        click.BadParameter: a value is not one of the option's.
    """
    try:
        return TranscriptionOptions(
            channels=channels, tracks=tracks, language=language, vocabulary=terms_of(vocabulary)
        )
    except ValidationError as error:
        details = error.errors()[0]
        name, value = str(details["loc"][0]), details["input"]
        shown = repr(value) if isinstance(value, str) else f"{len(value)} terms"
        allowed = TranscriptionOptions.model_fields[name].description
        raise click.BadParameter(f"{shown}; it may be {allowed}.", param_hint=f"--{name}") from error


def transcript_folder(
    files: Sequence[Path],
    form: TranscriptFormat | None,
    folder: Path | None,
    *,
    overwrite: bool,
    as_json: bool,
) -> TranscriptFolder | None:
    """Check the options of files; None where no files are wanted.

    Raises:
        click.UsageError: the options contradict each other, or a file would be overwritten.
    """
    if folder is not None:
        return TranscriptFolder(folder, files, form or TranscriptFormat.TXT, overwrite=overwrite)
    if overwrite:
        raise click.UsageError("--overwrite is for the files of --output.")
    if form is not None and as_json:
        raise click.UsageError("--format and --json would both print on stdout; add --output for --format.")
    if form is not None and len(files) > 1:
        raise click.UsageError(
            f"--format prints one transcript on stdout; add --output for {len(files)} files."
        )
    return None


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    return reduce(lambda decorated, option: option(decorated), reversed(options), command)
