"""Arguments of `transcripts jobs submit`: recordings, metadata and the idempotency key."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from domain.model.jobs import MAX_METADATA_BYTES, Metadata
from entrypoints.cli.runtime.parameters import PathTo

MAX_KEY = 255
MAX_DEPTH = 32
"""Objects and lists inside each other, as over HTTP."""

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
            json.dumps(metadata, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):
            self.fail("it must be a JSON object", param, ctx)
        if not isinstance(metadata, dict):
            self.fail("it must be a JSON object", param, ctx)
        if not _is_shallow(metadata, MAX_DEPTH):
            self.fail(f"it is nested deeper than {MAX_DEPTH} levels", param, ctx)
        if _size(metadata) > MAX_METADATA_BYTES:
            self.fail(f"it has more than {MAX_METADATA_BYTES} bytes as compact JSON", param, ctx)
        return metadata

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


def _is_shallow(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels >= 0 and all(_is_shallow(each, levels - 1) for each in inner)


def _size(metadata: Metadata) -> int:
    return len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode())
