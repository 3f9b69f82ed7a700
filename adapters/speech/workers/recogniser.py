"""The program that recognises units with one engine."""

from collections.abc import Iterator
from pathlib import Path

from adapters.speech.engines.loading import EngineSettings, load_engine
from adapters.speech.workers.cpu_budget import CpuBudget
from adapters.speech.workers.protocol import Job, Message, Ready, Recognised, UnitJob
from domain.model.speech import MAX_UNIT_SECONDS
from ports.recogniser_port import Hints
from ports.transcriber_port import Progress, ProgressListener

HALF_SECOND = Path(__file__).with_name("half_second.pcm")
"""Built-in sound: half a second of speech as an engine gets it, a word of the demo's recording."""


class Recogniser:
    """Recognises one unit after the other."""

    def __init__(self, engine: EngineSettings) -> None:
        self._engine = load_engine(engine)

    def prove(self) -> Ready:
        """Recognise the built-in half second of speech."""
        self._engine.recognise(HALF_SECOND.read_bytes(), Hints())
        return Ready(engine=self._engine.description)

    def answers(self, job: Job, samples: bytes, _: ProgressListener) -> Iterator[tuple[Message, bytes]]:
        """Yield what was heard in a unit."""
        if not isinstance(job, UnitJob):
            raise TypeError("a recogniser recognises units")
        # the unit may cost what the longest one may
        CpuBudget(MAX_UNIT_SECONDS).grant(Progress(MAX_UNIT_SECONDS, MAX_UNIT_SECONDS))
        hints = Hints(job.language, job.vocabulary)
        yield Recognised(heard=self._engine.recognise(samples, hints, again=job.again)), b""
