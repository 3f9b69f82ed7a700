"""Worker process: loads one program, proves it, then does one job after the other.

Run as `python -m adapters.speech.workers.main PROGRAM`, a `Program` as JSON. Reads jobs from stdin, writes
answers to stdout, and ends with stdin.
"""

import gc
import os
import sys
import time
import traceback
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from adapters.speech.workers.program import Program
from adapters.speech.workers.protocol import Advanced, Failed, Job, Message, Ready, UnitJob, parse_job
from adapters.speech.workers.sandbox import confine, forbid_writing
from domain.model.errors import TranscriptionServiceError
from ports.transcriber_port import Progress, ProgressListener

SECONDS_BETWEEN_SIGNS_OF_LIFE = 0.5


class Worker(Protocol):
    """A loaded program."""

    def prove(self) -> Ready:
        """Do the job on a built-in half second of speech; a worker that cannot never becomes ready."""
        ...

    def answers(self, job: Job, samples: bytes, report: ProgressListener) -> Iterator[tuple[Message, bytes]]:
        """Do a job; yield messages, and the samples that follow each."""
        ...


class Answers:
    """The worker's end of the pipe."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe

    def say(self, message: Message, samples: bytes = b"") -> None:
        """Send a message, and the samples behind it."""
        self._pipe.write(message.to_line() + samples)
        self._pipe.flush()


class SignsOfLife:
    """Reports progress to the service every `SECONDS_BETWEEN_SIGNS_OF_LIFE`, and a new length at once."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._next = 0.0
        self._length: float | None = None

    def __call__(self, progress: Progress) -> None:
        """Report the progress, unless the last report is recent and gave the same length."""
        now = time.monotonic()
        if now >= self._next or progress.total_seconds != self._length:
            self._next, self._length = now + SECONDS_BETWEEN_SIGNS_OF_LIFE, progress.total_seconds
            self._answers.say(Advanced(**progress._asdict()))


def main() -> None:
    """Serve until the service closes the pipe."""
    answers = Answers(_claim_stdout())
    try:
        worker = _confined_worker(Program.model_validate_json(sys.argv[1]))
        answers.say(worker.prove())
    except Exception as error:  # noqa: BLE001 - the service logs every error
        described = f"{type(error).__name__}: {error}"
        answers.say(Failed.of(error, message=described, trace=traceback.format_exc()))
        return
    gc.freeze()  # loaded modules stay: no collection need look through them, nor the end of the process
    for line in sys.stdin.buffer:
        _do(worker, parse_job(line), answers)


def _confined_worker(program: Program) -> Worker:
    confine(program.address_space_bytes())
    # numeric libraries start threads, which must be in the sandbox
    if program.engine is None:
        from adapters.speech.workers.reader import Reader  # noqa: PLC0415

        worker: Worker = Reader(program)
    else:
        from adapters.speech.workers.recogniser import Recogniser  # noqa: PLC0415

        worker = Recogniser(program.engine)
    forbid_writing()
    return worker


def _do(worker: Worker, job: Job, answers: Answers) -> None:
    samples = sys.stdin.buffer.read(job.size) if isinstance(job, UnitJob) else b""
    try:
        for message, behind in worker.answers(job, samples, SignsOfLife(answers)):
            answers.say(message, behind)
    except TranscriptionServiceError as error:
        answers.say(Failed.of(error))
    except Exception as error:  # noqa: BLE001 - fails this recording only; the service logs the trace
        failure = f"The transcriber failed with {type(error).__name__}."
        answers.say(Failed.of(error, message=failure, trace=traceback.format_exc()))


def _claim_stdout() -> BinaryIO:
    """Keep stdout for answers: output of libraries goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    main()
