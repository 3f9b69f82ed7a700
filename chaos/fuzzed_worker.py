"""Worker process under fuzz: decodes one recording after the other, and is replaced when it dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.speech.workers.program import Program
from adapters.speech.workers.protocol import (
    REPORTABLE,
    Cut,
    Failed,
    ReadJob,
    ReadToEnd,
    parse_message,
)
from adapters.speech.workers.sandbox import worker_environment
from domain.model.errors import TranscriberCrashedError

SECONDS_A_CASE = 20.0
"""Time for a recording of less than a second; the slowest of 100,000 took a tenth of it."""
MAX_AUDIO_SECONDS = 60.0


class Outcome(Enum):
    """End of one case."""

    DECODED = "decoded"
    REFUSED = "refused"
    CRASHED = "the worker died"
    HUNG = "no answer in time"
    UNEXPECTED = "an unexpected exception"


FINDINGS = (Outcome.CRASHED, Outcome.HUNG, Outcome.UNEXPECTED)
"""Outcomes that a caller would be answered with 500."""


class FuzzedWorker:
    """Runs the reader of the service, its sandbox and budgets included; all sound counts as speech."""

    def __init__(self) -> None:
        self.detail = ""  # what the last case came to
        self.slowest = 0.0  # seconds of the slowest case
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def decode(self, recording: Path) -> Outcome:
        """Decode one recording; `detail` then has the message."""
        process = self._ready()
        assert process.stdin is not None  # noqa: S101 - `_ready` asked for a pipe
        began = time.monotonic()
        process.stdin.write(ReadJob(recording=recording, max_audio_seconds=MAX_AUDIO_SECONDS).to_line())
        process.stdin.flush()
        watchdog = threading.Timer(SECONDS_A_CASE, process.kill)
        watchdog.start()
        outcome = self._answer(process)
        watchdog.cancel()
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        if outcome is Outcome.CRASHED:
            self._end()
            return Outcome.HUNG if took >= SECONDS_A_CASE else outcome
        return outcome

    def _answer(self, process: "subprocess.Popen[bytes]") -> Outcome:
        pipe = process.stdout
        assert pipe is not None  # noqa: S101 - `_ready` asked for a pipe
        while line := pipe.readline():
            match message := parse_message(line):
                case Cut():
                    pipe.read(message.size)
                case ReadToEnd():
                    return Outcome.DECODED
                case Failed():
                    self.detail = f"{message.error}: {message.message} {message.trace}"
                    error = REPORTABLE.get(message.error, TranscriberCrashedError)
                    return Outcome.UNEXPECTED if error is TranscriberCrashedError else Outcome.REFUSED
        self.detail = f"exit status {process.wait()}"
        return Outcome.CRASHED

    def _ready(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            program = Program(threshold=None).model_dump_json()
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", "-m", "adapters.speech.workers.main", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=worker_environment(os.environ),
                cwd="/",
                start_new_session=True,
            )
            assert self._process.stdout is not None  # noqa: S101 - asked for a pipe
            parse_message(self._process.stdout.readline())
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None
