"""Recognition of one unit: twice, where the first answer contradicts the sound or the engine died."""

import hashlib
import json
import logging
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from domain.model.engines import EngineDescription
from domain.model.errors import TranscriberCrashedError, TranscriberStalledError, TranscriptionError
from domain.model.speech import HeardUnit, SpeechUnit
from domain.services.transcription.loops import without_loops
from domain.services.transcription.quality import Suspicion, covered_seconds, suspicions
from ports.recogniser_port import Hints, RecogniserPort
from ports.transcriber_port import Checkpoint

logger = logging.getLogger(__name__)

_DEATHS = (TranscriberCrashedError, TranscriberStalledError)


@dataclass(frozen=True, slots=True)
class CheckedUnit:
    """A unit with an answer, whose loops are reduced, and what contradicts its sound in it."""

    unit: SpeechUnit
    heard: HeardUnit
    suspicions: tuple[Suspicion, ...]
    was_retried: bool

    @property
    def covered_seconds(self) -> float:
        """Return the seconds of speech for which there are words."""
        return covered_seconds(self.unit, self.heard)


class CheckedRecogniser:
    """Recognises the units of one recording, and those that an earlier try has finished not again."""

    def __init__(
        self, recogniser: RecogniserPort, engine: EngineDescription, checkpoint: Checkpoint | None = None
    ) -> None:
        self._recogniser = recogniser
        self._engine = engine
        self._checkpoint = checkpoint

    async def recognise(self, unit: SpeechUnit, hints: Hints, recording: object) -> CheckedUnit:
        """Recognise a unit, and once again where its words cannot be what was said, or where the engine died.

        Raises:
            TranscriptionError: the engine is at fault, or died both times.
        """
        if self._checkpoint is None:
            return await self._recognise(unit, hints, recording)
        key = fingerprint(self._engine, unit, hints)
        if (saved := self._checkpoint.find(key)) is not None:
            return SavedUnit.model_validate_json(saved).of(unit)
        checked = await self._recognise(unit, hints, recording)
        self._checkpoint.save(key, SavedUnit.from_checked(checked).model_dump_json())
        return checked

    async def recognise_as(self, checked: CheckedUnit, hints: Hints, recording: object) -> CheckedUnit:
        """Recognise a unit again with other hints; the answer that is there stays where that fails."""
        try:
            again = await self.recognise(checked.unit, hints, recording)
        except TranscriptionError as error:
            _log_failure(checked.unit, error, "recognition with other hints failed, the first answer stays")
            again = checked
        return replace(again, was_retried=True)

    async def _recognise(self, unit: SpeechUnit, hints: Hints, recording: object) -> CheckedUnit:
        try:
            first = await self._answer(unit, hints, recording, again=False)
        except _DEATHS as error:
            _log_failure(unit, error, "unit is recognised again")
            return await self._answer(unit, hints, recording, again=True)
        return await self._doubted(first, hints, recording) if first.suspicions else first

    async def _doubted(self, first: CheckedUnit, hints: Hints, recording: object) -> CheckedUnit:
        """Recognise a unit again; return the answer that fits its sound best, a doubtful one if need be."""
        try:
            second = await self._answer(first.unit, hints, recording, again=True)
        except TranscriptionError as error:
            _log_failure(first.unit, error, "the second try failed, the first answer stays")
            return replace(first, was_retried=True)
        best = max(first, second, key=_trust)
        _log_choice(first, best)
        return replace(best, was_retried=True)

    async def _answer(self, unit: SpeechUnit, hints: Hints, recording: object, *, again: bool) -> CheckedUnit:
        heard = await self._recogniser.recognise(unit, hints, recording=recording, again=again)
        found = suspicions(unit, heard)
        return CheckedUnit(
            unit, without_loops(heard) if Suspicion.LOOP in found else heard, found, was_retried=again
        )


class SavedUnit(BaseModel):
    """Answer for a unit, as a checkpoint keeps it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    heard: HeardUnit
    suspicions: tuple[Suspicion, ...]
    was_retried: bool

    @classmethod
    def from_checked(cls, checked: CheckedUnit) -> "SavedUnit":
        """Keep all but the sound."""
        return cls(heard=checked.heard, suspicions=checked.suspicions, was_retried=checked.was_retried)

    def of(self, unit: SpeechUnit) -> CheckedUnit:
        """Return the answer with its sound."""
        return CheckedUnit(unit, self.heard, self.suspicions, was_retried=self.was_retried)


def fingerprint(engine: EngineDescription, unit: SpeechUnit, hints: Hints) -> str:
    """Identify an answer by the sound of its unit, the speech in it, the engine and the hints.

    The cut needs no part in it: a unit that is cut in another place has another sound.
    """
    asked = (engine.name, engine.model, unit.speech, hints.language, hints.vocabulary)
    digest = hashlib.sha256(json.dumps(asked).encode())
    digest.update(unit.samples)
    return digest.hexdigest()


def _trust(checked: CheckedUnit) -> tuple[int, float, bool]:
    """Rank answers: few contradictions, then much of the speech, then the later one, made with more care."""
    return -len(checked.suspicions), checked.covered_seconds, checked.was_retried


def _log_choice(first: CheckedUnit, best: CheckedUnit) -> None:
    logger.info(
        "unit was recognised twice",
        extra={
            "unit_start_seconds": best.unit.start_seconds,
            "unit_seconds": best.unit.seconds,
            "first_suspicions": [each.value for each in first.suspicions],
            "suspicions": [each.value for each in best.suspicions],
        },
    )


def _log_failure(unit: SpeechUnit, error: Exception, message: str) -> None:
    logger.warning(
        message, extra={"unit_start_seconds": unit.start_seconds, "error_type": type(error).__name__}
    )
