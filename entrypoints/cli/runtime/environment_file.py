"""Environment of a command, and the file `.env` of the current folder."""

import os
from io import StringIO
from pathlib import Path

from domain.model.errors import ConfigurationError


def load_environment_file(file: Path) -> None:
    """Set the variables of the file that the environment does not set; without a file, do nothing.

    Raises:
        ConfigurationError: the file or a line of it cannot be read, or the file is not UTF-8; the message
            quotes none of its content.
    """
    try:
        if not file.is_file():
            return
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    from dotenv import load_dotenv  # noqa: PLC0415 - needed only with such a file

    text = _text(file, content)
    _require_readable_lines(file, text)
    load_dotenv(stream=StringIO(text))


def forget_blank_aws_variables() -> None:
    """Remove blank AWS variables, as our settings ignore blank ones; botocore would look for profile ''."""
    for name, value in tuple(os.environ.items()):
        if name.startswith("AWS_") and not value.strip():
            del os.environ[name]


def _require_readable_lines(file: Path, text: str) -> None:
    from dotenv.parser import parse_stream  # noqa: PLC0415 - needed only with such a file

    wrong = [str(each.original.line) for each in parse_stream(StringIO(text)) if each.error]
    if wrong:
        raise ConfigurationError(
            f"{file} cannot be read in line {', '.join(wrong)}: a line is a comment or NAME=value, with"
            " quotes that end."
        )


def _text(file: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{file} is not UTF-8 (line {line}): save it as UTF-8.") from None
    if "\0" in text:
        raise ConfigurationError(f"{file} contains zero bytes, as UTF-16 does: save it as UTF-8.")
    return text
