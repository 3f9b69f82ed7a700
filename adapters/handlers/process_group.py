"""Process group of one command and all processes that it starts."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import BinaryIO
from uuid import UUID

from adapters.handlers.output import LineForwarder

TAIL_BYTES = 4096
"""Bytes of the end of stderr that are kept."""

_PIPE_BYTES = 2**20
"""The most bytes that Linux lets a pipe hold."""


class ProcessGroup:
    """One run of a command; its output goes to the consumer's stderr, line by line.

    The input is a file in memory, so that nothing waits for a command that does not read it. Close the group
    when the run is over.

    Raises:
        OSError: the command cannot be started.
        ValueError: an argument or a variable holds a null character.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], stdin: bytes, interaction_id: UUID
    ) -> None:
        self.tail = b""
        with _in_memory(stdin) as source:
            self._process = subprocess.Popen(  # noqa: S603 - the operator's own command, and no shell
                command,
                env=environment,
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        assert self._process.stderr is not None  # noqa: S101 - same
        self._pipes = (self._process.stdout, self._process.stderr)
        self._stderr = self._process.stderr.fileno()
        self._lines = {pipe.fileno(): LineForwarder(interaction_id) for pipe in self._pipes}
        for file in self._lines:
            os.set_blocking(file, False)

    @property
    def id(self) -> int:
        """Process id of the command and id of its group."""
        return self._process.pid

    def wait(self, seconds: float) -> bool:
        """Forward the output until the command ends; return False if it did not end in time."""
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
        for pipe in self._pipes:
            self._forward(pipe.fileno())
            self._lines[pipe.fileno()].close()
            pipe.close()
        return status

    def _watch(self, ended: int, deadline: float) -> bool:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        for file in self._lines:
            poll.register(file, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            ready = {file for file, _ in poll.poll(left * 1000)}
            if ended in ready:
                return True
            for file in ready:
                if self._forward(file):
                    poll.unregister(file)
        return False

    def _forward(self, file: int) -> bool:
        """Forward the output that is there, a pipe full at most; return True at its end."""
        try:
            chunk = os.read(file, _PIPE_BYTES)
        except BlockingIOError:
            return False
        if file == self._stderr:
            self.tail = (self.tail + chunk)[-TAIL_BYTES:]
        self._lines[file].feed(chunk)
        return not chunk


def _in_memory(content: bytes) -> BinaryIO:
    file = os.fdopen(os.memfd_create("event"), "r+b")
    file.write(content)
    file.seek(0)
    return file
