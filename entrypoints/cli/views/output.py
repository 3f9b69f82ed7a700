"""How commands speak: results on stdout, logs on stderr, and four exit codes."""

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
"""What was to be checked or done did not hold or succeed."""
EXIT_USAGE = 2
"""The command line or the configuration is wrong."""
EXIT_INTERRUPTED = 130
"""Ctrl-C ended it; what shells say of SIGINT."""


_STEERING = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def print_json(value: Mapping[str, object]) -> None:
    """One JSON object on stdout, for machines.

    Escaped are the characters that could steer a terminal, bytes of file names that are no UTF-8, and all
    that is not ASCII where stdout does not speak UTF-8.
    """
    ensure_ascii = str(getattr(sys.stdout, "encoding", None)).lower() != "utf-8"
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=2, default=str)
    text = _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")


def confirm(question: str, *, as_json: bool) -> None:
    """Ask, and end the command where the answer is not yes; machines are not asked.

    Raises:
        click.UsageError: nobody reads the question where JSON is wanted.
        click.Abort: the answer is no, or there is none.
    """
    if as_json:
        raise click.UsageError("--json does not ask: add --yes.")
    click.confirm(question, abort=True)


def console() -> "Console":
    """Where people read."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and `--help` needs none of it

    return Console(highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """Text from outside, with everything escaped that could steer a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
