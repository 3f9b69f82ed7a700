"""A command and all it starts, as one group of processes."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import BinaryIO

TAIL_BYTES = 4096
"""How much of the end of stderr is kept."""

_PIPE_BYTES = 2**20
"""The most that Linux lets a pipe hold."""

_OUR_STDERR = 2


class ProcessGroup:
    """One run of a command: its input is there from the start, its output goes to our stderr as it comes.

    The input is a file in memory, so that a command need not read it, and nothing waits for one that does
    not. Close it when the run is over.

    Raises:
        OSError: it cannot be started.
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
        """The number of the group, and of the command."""
        return self._process.pid

    def wait(self, seconds: float) -> bool:
        """Wait for the command's end and say whether it came; meanwhile pass on what it says on stderr."""
        ended = os.pidfd_open(self._process.pid)
        try:
            return self._watch(ended, time.monotonic() + seconds)
        finally:
            os.close(ended)

    def kill(self) -> None:
        """End every process of the group; also after the command ended, as it may have left some behind."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or somebody else's by now
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> int:
        """Forget the processes, which were killed before; returns the exit status, negative for a signal."""
        status = self._process.wait()
        self._pass_on()
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
            if self._stderr in ready and self._pass_on():
                poll.unregister(self._stderr)
        return False

    def _pass_on(self) -> bool:
        """Pass on what is there to be read, a pipe full at most; whether its end was reached."""
        try:
            chunk = os.read(self._stderr, _PIPE_BYTES)
        except BlockingIOError:
            return False
        self.tail = (self.tail + chunk)[-TAIL_BYTES:]
        _write(chunk)
        return not chunk


def _write(chunk: bytes) -> None:
    """A log that cannot be written is no reason to fail an event."""
    with contextlib.suppress(OSError):
        os.write(_OUR_STDERR, chunk)


def _in_memory(content: bytes) -> BinaryIO:
    file = os.fdopen(os.memfd_create("event"), "r+b")
    file.write(content)
    file.seek(0)
    return file
