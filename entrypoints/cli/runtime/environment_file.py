"""The environment of a command, and the file `.env` of the current folder."""

import os
from io import StringIO
from pathlib import Path

from domain.model.errors import ConfigurationError


def load_environment_file(file: Path) -> None:
    """Set the variables that the file names and the environment does not; without a file, do nothing.

    Raises:
        ConfigurationError: it cannot be read, or is not a text in UTF-8; the message quotes none of it.
    """
    try:
        if not file.is_file():
            return
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    from dotenv import load_dotenv  # noqa: PLC0415 - only where there is such a file

    load_dotenv(stream=StringIO(_text(file, content)))


def forget_blank_aws_variables() -> None:
    """Take a blank variable for an absent one, as our own settings do; botocore would look for profile ''."""
    for name, value in tuple(os.environ.items()):
        if name.startswith("AWS_") and not value.strip():
            del os.environ[name]


def _text(file: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{file} is not UTF-8 (line {line}): save it as UTF-8.") from None
    if "\0" in text:
        raise ConfigurationError(f"{file} holds zero bytes, as UTF-16 does: save it as UTF-8.")
    return text
