"""Process group of one command and all processes that it starts."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import BinaryIO

TAIL_BYTES = 4096
"""Bytes of the end of stderr that are kept."""

_PIPE_BYTES = 2**20
"""The most bytes that Linux lets a pipe hold."""

_OUR_STDERR = 2


class ProcessGroup:
    """One run of a command; its output is forwarded to the consumer's stderr.

    The input is a file in memory, so that nothing waits for a command that does not read it. Close the group
    when the run is over.

    Raises:
        OSError: the command cannot be started.
        ValueError: an argument or a variable holds a null character.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], stdin: bytes) -> None:
        self.tail = b""
        with _in_memory(stdin) as source:
            self._process = subprocess.Popen(  # noqa: S603 - the operator's own command, and no shell
                command,
                env=environment,
                stdin=source,
                stdout=_OUR_STDERR,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        assert self._process.stderr is not None  # noqa: S101 - it was asked for
        self._stderr = self._process.stderr.fileno()
        os.set_blocking(self._stderr, False)

    @property
    def id(self) -> int:
        """Process id of the command and id of its group."""
        return self._process.pid

    def wait(self, seconds: float) -> bool:
        """Forward stderr until the command ends; return False if it did not end in time."""
        ended = os.pidfd_open(self._process.pid)
        try:
            return self._watch(ended, time.monotonic() + seconds)
        finally:
            os.close(ended)

    def kill(self) -> None:
        """Kill every process of the group; also after the command ended, as it may have left some behind."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or reused by now
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> int:
        """Reap the command, after `kill`; return its exit status, negative for a signal."""
        status = self._process.wait()
        self._forward()
        assert self._process.stderr is not None  # noqa: S101 - as above
        self._process.stderr.close()
        return status

    def _watch(self, ended: int, deadline: float) -> bool:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        poll.register(self._stderr, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            ready = {file for file, _ in poll.poll(left * 1000)}
            if ended in ready:
                return True
            if self._stderr in ready and self._forward():
                poll.unregister(self._stderr)
        return False

    def _forward(self) -> bool:
        """Forward the output that is there, a pipe full at most; return True at its end."""
        try:
            chunk = os.read(self._stderr, _PIPE_BYTES)
        except BlockingIOError:
            return False
        self.tail = (self.tail + chunk)[-TAIL_BYTES:]
        _write(chunk)
        return not chunk


def _write(chunk: bytes) -> None:
    """Write to stderr; a log that cannot be written does not fail the event."""
    with contextlib.suppress(OSError):
        os.write(_OUR_STDERR, chunk)


def _in_memory(content: bytes) -> BinaryIO:
    file = os.fdopen(os.memfd_create("event"), "r+b")
    file.write(content)
    file.seek(0)
    return file
