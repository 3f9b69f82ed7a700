"""Worker process: loads one engine, proves it, then transcribes one recording after the other.

Run as `python -m adapters.speech.workers.main ENGINE`. Reads jobs from stdin, writes answers to stdout, and
ends with stdin.
"""

import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.workers.cpu_budget import CpuBudget
from adapters.speech.workers.protocol import Advanced, Failed, Finished, Job, Ready
from adapters.speech.workers.sandbox import confine, forbid_writing
from domain.model.errors import TranscriptionServiceError
from ports.transcriber_port import Progress

if TYPE_CHECKING:
    from adapters.speech.engines.engine import SpeechEngine

SECONDS_BETWEEN_SIGNS_OF_LIFE = 0.5
HALF_SECOND = Path(__file__).with_name("half_second.ogg")
"""Built-in recording: half a second of speech, a word of the demo's recording."""


def main() -> None:
    """Serve until the service closes the pipe."""
    answers = _claim_stdout()
    try:
        engine = _confined_engine(sys.argv[1])
        _prove(engine)
    except Exception as error:  # noqa: BLE001 - the service logs every error
        described = f"{type(error).__name__}: {error}"
        answers.write(Failed.of(error, message=described, trace=traceback.format_exc()).to_line())
        return
    answers.write(Ready().to_line())
    for line in sys.stdin.buffer:
        job = Job.model_validate_json(line)
        answers.write(_transcribe(engine, job, SignsOfLife(answers)).to_line())


def _confined_engine(name: str) -> "SpeechEngine":
    confine()
    from adapters.speech.engines.loading import load_engine  # noqa: PLC0415 - numeric libraries start threads, which must be in the sandbox

    engine = load_engine(name)
    forbid_writing()
    return engine


def _prove(engine: "SpeechEngine") -> None:
    """Transcribe the built-in half second, so that a worker that cannot transcribe never becomes ready."""
    heard = engine.transcribe(HALF_SECOND, DecodingLimits(max_audio_seconds=1.0), lambda _: None)
    if not 0.4 < heard.duration_seconds < 0.6:  # noqa: PLR2004 - half a second, and what an encoder adds
        raise RuntimeError(f"the built-in half second of sound was heard as {heard.duration_seconds:g} s")


class SignsOfLife:
    """Reports progress to the service every `SECONDS_BETWEEN_SIGNS_OF_LIFE`, and a new length at once."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._next = 0.0
        self._length: float | None = None

    def __call__(self, progress: Progress) -> None:
        """Report the progress, unless the last report is recent and gave the same length."""
        now = time.monotonic()
        if now >= self._next or progress.total_seconds != self._length:
            self._next, self._length = now + SECONDS_BETWEEN_SIGNS_OF_LIFE, progress.total_seconds
            self._answers.write(Advanced(**progress._asdict()).to_line())


def _transcribe(engine: "SpeechEngine", job: Job, report: SignsOfLife) -> Finished | Failed:
    budget = CpuBudget(job.max_audio_seconds)

    def on_progress(progress: Progress) -> None:
        budget.grant(progress)
        report(progress)

    limits = DecodingLimits(max_audio_seconds=job.max_audio_seconds)
    try:
        transcript = engine.transcribe(job.recording, limits, on_progress, job.options)
        return Finished(transcript=transcript)
    except TranscriptionServiceError as error:
        return Failed.of(error)
    except Exception as error:  # noqa: BLE001 - fails this recording only; the service logs the trace
        message = f"The transcriber failed with {type(error).__name__}."
        return Failed.of(error, message=message, trace=traceback.format_exc())


def _claim_stdout() -> BinaryIO:
    """Keep stdout for answers: output of libraries goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    main()
