"""A command that works events off."""

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
"""Characters of a command's last words that are shown."""


class CommandHandler(EventHandlerPort):
    """Runs a command for each event: the event's JSON on stdin, exit status 0 for success.

    The command has our environment, credentials included, as its team may need them, and besides
    `INTERACTION_ID`, `TENANT_ID`, `RECEIVE_COUNT` and `REPLAY` (empty unless the event comes from a replay).
    What it writes, to stdout or stderr, goes to our stderr as it is. No shell is involved. It is a group of
    processes of its own, which ends with it: nothing that it leaves behind goes on. It ends with us as well,
    also where we are killed.

    Args:
        command: program and arguments.
        timeout_seconds: after so long the group is killed, and the event counts as failed.
    """

    def __init__(self, command: Sequence[str], *, timeout_seconds: float) -> None:
        self._command = tuple(command)
        self._timeout_seconds = timeout_seconds
        self._running: set[ProcessGroup] = set()
        self._aborted = False
        self._guard: ProcessReaper | None = None
        self._lock = threading.Lock()

    @classmethod
    def parse(cls, line: str, *, timeout_seconds: float) -> Self:
        """Split a command line as a shell would, and make sure that there is such a program.

        Raises:
            ConfigurationError: a quotation does not end, nothing is named, or there is no such program.
        """
        try:
            command = shlex.split(line)
        except ValueError as error:
            raise ConfigurationError(f"--exec {line!r} cannot be split into words: {error}.") from None
        if not command:
            raise ConfigurationError("--exec names no command.")
        if shutil.which(command[0]) is None:
            raise ConfigurationError(
                f"--exec {line!r}: there is no program {command[0]!r} that may be run. No shell is involved;"
                " for pipes and the like, name one: sh -c '…'."
            )
        return cls(command, timeout_seconds=timeout_seconds)

    def handle(self, received: ReceivedEvent, /) -> None:
        """Run the command, wait for it, and end what it left behind."""
        group = self._start(received)
        try:
            in_time = group.wait(self._timeout_seconds)
        except OSError as error:
            raise HandlerError(f"{self._name} could not be waited for: {error}.") from error
        finally:
            status = self._end(group)
        if status:
            raise HandlerError(f"{self._name} {self._what_became(status, in_time=in_time)}{_said(group)}")

    def abort(self) -> None:
        """Kill every group that runs, and start no other one."""
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
                raise HandlerError(f"{self._name} was not started, as the consumer must end.")
            try:
                self._guard = self._guard or ProcessReaper()
                group = ProcessGroup(self._command, environment, received.to_json().encode())
            except (OSError, ValueError) as error:
                raise HandlerError(f"{self._name} could not be started: {error}.") from error
            self._guard.watch(group.id)
            self._running.add(group)
        return group

    def _end(self, group: ProcessGroup) -> int:
        """Kill and forget; until then its number belongs to nobody else, so that no stranger is killed."""
        with self._lock:
            group.kill()
            self._running.discard(group)
            if self._guard:
                self._guard.forget(group.id)
        return group.close()

    def _what_became(self, status: int, *, in_time: bool) -> str:
        if self._aborted:
            return "was ended, as the consumer must end"
        if not in_time:
            return f"took longer than {self._timeout_seconds:g} s and was ended"
        if status > 0:
            return f"ended with exit status {status}"
        return f"was killed by signal {-status} ({signal.strsignal(-status)})"


def _variables(received: ReceivedEvent) -> dict[str, str]:
    return {
        "INTERACTION_ID": str(received.event.interaction_id),
        "TENANT_ID": str(received.event.tenant_id),
        "RECEIVE_COUNT": str(received.receive_count),
        "REPLAY": received.replay or "",
    }


def _said(group: ProcessGroup) -> str:
    """The last line of stderr, cut and escaped: it may come from anywhere."""
    lines = group.tail.decode("utf-8", "backslashreplace").rstrip().splitlines()
    if not lines:
        return "."
    line = lines[-1].strip()
    shown = line if len(line) <= REASON_LENGTH else f"{line[:REASON_LENGTH]}…"
    return ": " + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
