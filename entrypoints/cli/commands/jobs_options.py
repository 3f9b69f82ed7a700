"""Arguments of `transcripts jobs submit`: recordings, metadata and the idempotency key."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import click

from domain.model.metadata import MAX_METADATA_BYTES, Metadata, checked_metadata
from entrypoints.cli.runtime.parameters import PathTo

MAX_KEY = 255

Source = Path | str
"""File of a recording, or its URL."""


class SourceType(click.ParamType[Source]):
    """File that exists, or a URL."""

    name = "file|url"

    def convert(self, value: Source, param: click.Parameter | None, ctx: click.Context | None) -> Source:
        """Return the path of a file, or a URL as it is."""
        if isinstance(value, str) and "://" in value:
            return value
        return PathTo[Path](exists=True, dir_okay=False, resolve_path=True, path_type=Path).convert(
            value, param, ctx
        )


class MetadataType(click.ParamType[Metadata]):
    """JSON object of at most `MAX_METADATA_BYTES`."""

    name = "json"

    def convert(
        self, value: str | Metadata, param: click.Parameter | None, ctx: click.Context | None
    ) -> Metadata:
        """Parse JSON, strictly: the answers about the job repeat it to every client."""
        try:
            metadata = json.loads(value, parse_constant=self._refuse) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            self.fail("it must be a JSON object", param, ctx)
        try:
            return checked_metadata(dict(metadata) if isinstance(metadata, Mapping) else metadata)
        except ValueError as error:
            self.fail(f"it must be a JSON object of at most {MAX_METADATA_BYTES} bytes; {error}", param, ctx)

    def _refuse(self, constant: str) -> NoReturn:
        raise ValueError(constant)


def check_key(key: str | None, sources: Sequence[Source]) -> None:
    """Check an idempotency key.

    Raises:
        click.UsageError: the key is none, or there are several recordings.
    """
    if key is None:
        return
    if len(sources) > 1:
        raise click.UsageError(f"--idempotency-key is for one recording, not for {len(sources)}.")
    if not (0 < len(key) <= MAX_KEY and key.isprintable()):
        raise click.BadParameter(
            f"a key has 1 to {MAX_KEY} printable characters", param_hint="--idempotency-key"
        )
