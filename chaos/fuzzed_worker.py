"""Worker process under fuzz: decodes one recording after the other, and is replaced when it dies."""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.speech.workers.protocol import REPORTABLE, Advanced, Failed, Finished, Job, Ready, parse_message
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
    """Runs the worker of the service, its sandbox and budgets included, with the engine that only decodes."""

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
        process.stdin.write(Job(recording=recording, max_audio_seconds=MAX_AUDIO_SECONDS).to_line())
        process.stdin.flush()
        outcome = self._answer(process, began + SECONDS_A_CASE)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if outcome in {Outcome.CRASHED, Outcome.HUNG}:
            self._end()
        return outcome

    def _answer(self, process: "subprocess.Popen[bytes]", until: float) -> Outcome:
        assert process.stdout is not None  # noqa: S101 - `_ready` asked for a pipe
        while select.select([process.stdout], [], [], max(until - time.monotonic(), 0))[0]:
            line = process.stdout.readline()
            if not line:
                self.detail = f"exit status {process.wait()}"
                return Outcome.CRASHED
            match parse_message(line):
                case Finished():
                    return Outcome.DECODED
                case Failed() as failed:
                    self.detail = f"{failed.error}: {failed.message} {failed.trace}"
                    is_expected = (
                        REPORTABLE.get(failed.error, TranscriberCrashedError) is not TranscriberCrashedError
                    )
                    return Outcome.REFUSED if is_expected else Outcome.UNEXPECTED
                case Advanced() | Ready():
                    continue
        self.detail = f"more than {SECONDS_A_CASE:g} s"
        return Outcome.HUNG

    def _ready(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "adapters.speech.workers.main", "canned"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=worker_environment(os.environ),
                cwd="/",
                start_new_session=True,
                bufsize=0,
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
