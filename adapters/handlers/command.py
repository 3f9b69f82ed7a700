"""Event handler that runs a command."""

import os
import shlex
import shutil
import signal
import threading
from collections.abc import Sequence
from typing import Self

from adapters.handlers.process_group import ProcessGroup
from adapters.handlers.process_reaper import ProcessReaper
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import ConfigurationError, HandlerError
from ports.event_handler_port import EventHandlerPort

REASON_LENGTH = 200
"""The most characters of a command's last line of stderr in an error."""


class CommandHandler(EventHandlerPort):
    """Runs a command for each event: the event's JSON on stdin, exit status 0 for success.

    The command gets the consumer's environment, credentials included, and `INTERACTION_ID`, `TENANT_ID`,
    `RECEIVE_COUNT`, `REPLAY` (empty unless the event comes from a replay) and `TRACEPARENT` (empty without a
    trace). The lines of its stdout and
    stderr go to the consumer's stderr, after the interaction id. No shell is involved. It runs in a process
    group of its own, which is killed when the command ends, and when the consumer ends or is killed; after
    `timeout_seconds` it is killed, too, and the event has failed.
    """

    def __init__(self, command: Sequence[str], *, timeout_seconds: float) -> None:
        self._command = tuple(command)
        self._timeout_seconds = timeout_seconds
        self._running: set[ProcessGroup] = set()
        self._aborted = False
        self._reaper: ProcessReaper | None = None
        self._lock = threading.Lock()

    @classmethod
    def parse(cls, line: str, *, timeout_seconds: float) -> Self:
        """Split a command line as a shell would, and check that the program exists.

        Raises:
            ConfigurationError: a quotation does not end, the line is empty, or there is no such program.
        """
        try:
            command = shlex.split(line)
        except ValueError as error:
            raise ConfigurationError(f"--exec {line!r} cannot be split into words: {error}.") from None
        if not command:
            raise ConfigurationError("--exec names no command.")
        if shutil.which(command[0]) is None:
            raise ConfigurationError(
                f"--exec {line!r}: there is no executable program {command[0]!r}. No shell is involved;"
                " for pipes and the like, name one: sh -c '…'."
            )
        return cls(command, timeout_seconds=timeout_seconds)

    def handle(self, received: ReceivedEvent, /) -> None:
        """Run the command, wait for it, and kill the rest of its process group."""
        group = self._start(received)
        try:
            in_time = group.wait(self._timeout_seconds)
        except OSError as error:
            raise HandlerError(f"{self._name} could not be waited for: {error}.") from error
        finally:
            status = self._end(group)
        if status:
            raise HandlerError(
                f"{self._name} {self._describe_end(status, in_time=in_time)}{_last_line(group)}"
            )

    def abort(self) -> None:
        """Kill every running group, and start no other."""
        with self._lock:
            self._aborted = True
            for group in self._running:
                group.kill()

    @property
    def _name(self) -> str:
        return f"The command {self._command[0]!r}"

    def _start(self, received: ReceivedEvent) -> ProcessGroup:
        environment = os.environ | _variables(received)
        with self._lock:
            if self._aborted:
                raise HandlerError(f"{self._name} was not started: the consumer is shutting down.")
            try:
                self._reaper = self._reaper or ProcessReaper()
                group = ProcessGroup(
                    self._command, environment, received.to_json().encode(), received.event.interaction_id
                )
            except (OSError, ValueError) as error:
                raise HandlerError(f"{self._name} could not be started: {error}.") from error
            self._reaper.watch(group.id)
            self._running.add(group)
        return group

    def _end(self, group: ProcessGroup) -> int:
        """Kill the group and forget it, before it is reaped and its id can be reused."""
        with self._lock:
            group.kill()
            self._running.discard(group)
            if self._reaper:
                self._reaper.forget(group.id)
        return group.close()

    def _describe_end(self, status: int, *, in_time: bool) -> str:
        if self._aborted:
            return "was killed: the consumer is shutting down"
        if not in_time:
            return f"took longer than {self._timeout_seconds:g} s and was killed"
        if status > 0:
            return f"ended with exit status {status}"
        return f"was killed by signal {-status} ({signal.strsignal(-status)})"


def _variables(received: ReceivedEvent) -> dict[str, str]:
    return {
        "INTERACTION_ID": str(received.event.interaction_id),
        "TENANT_ID": str(received.event.tenant_id),
        "RECEIVE_COUNT": str(received.receive_count),
        "REPLAY": received.replay or "",
        "TRACEPARENT": received.traceparent or "",
    }


def _last_line(group: ProcessGroup) -> str:
    """Return the last line of stderr, shortened and escaped, as its content is untrusted."""
    lines = group.tail.decode("utf-8", "backslashreplace").rstrip().splitlines()
    if not lines:
        return "."
    line = lines[-1].strip()
    shown = line if len(line) <= REASON_LENGTH else f"{line[:REASON_LENGTH]}…"
    return ": " + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
