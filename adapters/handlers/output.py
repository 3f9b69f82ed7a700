"""Output of handlers: whole lines on stderr, each with the interaction id of its event.

Stdout belongs to the result of the consumer.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import RLock
from typing import Any
from uuid import UUID

MAX_LINE_BYTES = 2**16
"""A longer line is broken, since a handler may never end it."""

_STDOUT, _STDERR = 1, 2
_one_at_a_time = RLock()


class LineForwarder:
    """Writes the output of one handler to stderr once a line is complete."""

    def __init__(self, interaction_id: UUID | None = None) -> None:
        self._prefix = f"{interaction_id}: ".encode() if interaction_id else b""
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Write the lines that the chunk completes."""
        with _one_at_a_time:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > MAX_LINE_BYTES:
                lines, self._rest = [*lines, self._rest], b""
            self._write(lines)

    def close(self) -> None:
        """Write a last line that has no end."""
        with _one_at_a_time:
            if self._rest:
                self._write([self._rest])
            self._rest = b""

    def _write(self, lines: list[bytes]) -> None:
        """Write to stderr; a log that cannot be written does not fail the event."""
        content = b"".join(self._prefix + line + b"\n" for line in lines)
        with suppress(OSError):
            while content:
                content = content[os.write(_STDERR, content) :]


_current: ContextVar[LineForwarder | None] = ContextVar("handler_output", default=None)


@contextmanager
def forwarding_prints(interaction_id: UUID) -> Iterator[None]:
    """Give the lines that this thread prints the id; has no effect outside of `stdout_on_stderr`."""
    forwarder = LineForwarder(interaction_id)
    token = _current.set(forwarder)
    try:
        yield
    finally:
        _current.reset(token)
        forwarder.close()


@contextmanager
def stdout_on_stderr() -> Iterator[None]:
    """Send everything that this process prints to stderr, output of its processes and libraries included."""
    stdout = sys.stdout
    with _stdout_file_on_stderr():
        sys.stdout = io.TextIOWrapper(_Prints(), "utf-8", errors="backslashreplace", write_through=True)
        try:
            yield
        finally:
            sys.stdout = stdout


@contextmanager
def _stdout_file_on_stderr() -> Iterator[None]:
    try:
        saved = os.dup(_STDOUT)
    except OSError:  # it was closed at the start
        yield
        return
    _flush()
    try:
        with suppress(OSError):
            os.dup2(_STDERR, _STDOUT)
        yield
    finally:
        _flush()
        os.dup2(saved, _STDOUT)
        os.close(saved)


def _flush() -> None:
    with suppress(OSError, ValueError, AttributeError):  # closed, or not there
        sys.__stdout__.flush()  # type: ignore[union-attr]  # None if stdout was closed


class _Prints(io.RawIOBase):
    """File of a stdout whose lines are told apart by the handler that prints them."""

    def fileno(self) -> int:
        return _STDOUT

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any, /) -> int:  # noqa: ANN401 - typing has no name for it before Python 3.12
        content = bytes(chunk)
        (_current.get() or _stray).feed(content)
        return len(content)


_stray = LineForwarder()
"""Prints of threads that a handler started, and of modules while they are imported."""
