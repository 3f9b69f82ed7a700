"""Recognition in supervised processes: an engine blocks its interpreter while it works, and may crash."""

import contextlib

from adapters.speech.workers.process import WorkerProcess
from adapters.speech.workers.protocol import Recognised, UnitJob
from adapters.speech.workers.supervision import SupervisedWorkers
from domain.model.engines import EngineDescription
from domain.model.errors import TranscriberCrashedError
from domain.model.speech import HeardUnit, SpeechUnit
from ports.recogniser_port import Hints, RecogniserPort, Slots


class WorkerRecogniser(RecogniserPort):
    """Spreads units over processes with one engine; recordings take turns."""

    def __init__(self, workers: SupervisedWorkers) -> None:
        self._workers = workers

    async def engine(self) -> EngineDescription:
        """Return what the engine says of itself; start the first process where none has been ready yet."""
        first, *_ = self._workers.workers
        if not (known := self._known()):
            await first.start()
            known = self._known()
        return known[0]

    async def recognise(
        self, unit: SpeechUnit, hints: Hints, /, *, recording: object, again: bool = False
    ) -> HeardUnit:
        """Wait for the recording's turn and a process, and recognise the unit in it."""
        async with self._workers.queue.turn(recording) as worker:
            if again:
                await worker.replace()
            return await _recognised(worker, unit, hints, again=again)

    def _known(self) -> list[EngineDescription]:
        return [worker.engine for worker in self._workers.workers if worker.engine is not None]

    def slots(self) -> Slots:
        """Count the processes, and those that are ready."""
        return self._workers.slots()


async def _recognised(worker: WorkerProcess, unit: SpeechUnit, hints: Hints, *, again: bool) -> HeardUnit:
    job = UnitJob(size=len(unit.samples), language=hints.language, vocabulary=hints.vocabulary, again=again)
    async with contextlib.aclosing(worker.converse(job, unit.samples)) as answers:
        async for answer in answers:
            if isinstance(answer, Recognised):
                return answer.heard
    raise TranscriberCrashedError("The transcriber sent no answer for a unit.")
