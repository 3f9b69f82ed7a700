"""Output of commands: results on stdout, and the four exit codes."""

import json
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

EXIT_OK = 0
EXIT_FAILED = 1
"""A check or an action failed."""
EXIT_USAGE = 2
"""The command line or the configuration is wrong."""
EXIT_INTERRUPTED = 130
"""Ctrl-C ended the command; shells report SIGINT as 130."""

PLACE = "entrypoints.cli.place"
"""Key in click's context under which a command keeps region and account for its JSON object."""


_STEERING = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def print_json(value: Mapping[str, object]) -> None:
    """Print one JSON object on stdout, with `region` and `account` where the command works on AWS.

    Escapes characters that could control a terminal, bytes of file names that are not UTF-8, and, where
    stdout is not UTF-8, all characters outside ASCII.
    """
    context = click.get_current_context(silent=True)
    place = context.meta.get(PLACE, {}) if context else {}
    ensure_ascii = str(getattr(sys.stdout, "encoding", None)).lower() != "utf-8"
    text = json.dumps({**value, **place}, ensure_ascii=ensure_ascii, indent=2, default=str)
    text = _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")


def confirm(question: str, *, as_json: bool) -> None:
    """Prompt for confirmation, and end the command unless the answer is yes.

    Raises:
        click.UsageError: JSON is wanted, which leaves no room for a prompt.
        click.Abort: the answer is no, or there is none.
    """
    if as_json:
        raise click.UsageError("--json cannot prompt; add --yes.")
    click.confirm(question, abort=True)


def console() -> "Console":
    """Create the console for text."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and `--help` needs none of it

    return Console(highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """Escape everything in a text from outside that could control a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
