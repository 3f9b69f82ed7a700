"""Stdout of commands: a failed write ends a command with one line instead of a traceback."""

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
    """Stdout cannot be written to: its disk is full, or it is closed."""


@contextmanager
def watched_stdout() -> Iterator[None]:
    """Report failed writes to stdout, at the end of the context at the latest.

    Raises:
        OutputError: a write failed. A closed pipe, as of `head`, ends the command with 1 and no message.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for characters outside its encoding
    stdout, watched = sys.stdout, _Watched(sys.stdout)
    sys.stdout = cast("TextIO", watched)
    try:
        yield
    finally:
        sys.stdout = stdout
        watched.end()


class _Watched:
    """Text stream that wraps stdout; None stands for a stdout that was closed at the start."""

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
        """Flush stdout; on a failure discard its buffer, or the interpreter would try again at exit."""
        try:
            self.flush()
        except (OutputError, SystemExit):
            _redirect_to_null(self._stream)
            raise


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise SystemExit(EXIT_FAILED) from None
    except OSError as error:
        raise OutputError(f"The output cannot be written: {error.strerror}") from error


def _redirect_to_null(stream: TextIO | None) -> None:
    with suppress(OSError), open(os.devnull, "w", encoding="ascii") as null:  # noqa: PTH123 - a device
        if stream is not None:
            os.dup2(null.fileno(), stream.fileno())
