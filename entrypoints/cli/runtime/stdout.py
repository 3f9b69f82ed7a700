"""Stdout as commands write to it: what it does not take ends them with one line, and not in a traceback."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import TextIO, cast

from domain.model.errors import TranscriptionServiceError
from entrypoints.cli.views.output import EXIT_FAILED


class OutputError(TranscriptionServiceError):
    """Stdout does not take what is written to it: its disk is full, say, or it is closed."""


@contextmanager
def watched_stdout() -> Iterator[None]:
    """Have whoever writes to stdout learn that it failed, at the end at the latest.

    Raises:
        OutputError: it failed. A reader who left, as `head` does, ends the command with 1 and no word.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for what its encoding does not have
    stdout, watched = sys.stdout, _Watched(sys.stdout)
    sys.stdout = cast("TextIO", watched)
    try:
        yield
    finally:
        sys.stdout = stdout
        watched.end()


class _Watched:
    """A text stream around another one; None stands for a stdout that was closed from the start."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _failures():
            if self._stream is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            return self._stream.write(text)

    def flush(self) -> None:
        with _failures():
            if self._stream is not None:
                self._stream.flush()

    def end(self) -> None:
        """Flush it; what it does not take goes nowhere, or the interpreter would try again and complain."""
        try:
            self.flush()
        except (OutputError, SystemExit):
            _lead_nowhere(self._stream)
            raise


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise SystemExit(EXIT_FAILED) from None
    except OSError as error:
        raise OutputError(f"The output cannot be written: {error.strerror}") from error


def _lead_nowhere(stream: TextIO | None) -> None:
    with suppress(OSError), open(os.devnull, "w", encoding="ascii") as nowhere:  # noqa: PTH123 - a device
        if stream is not None:
            os.dup2(nowhere.fileno(), stream.fileno())
