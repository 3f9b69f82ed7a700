"""Recognition of one unit: twice, where the first answer contradicts the sound or the engine died."""

import logging
from dataclasses import dataclass, replace

from domain.model.errors import TranscriberCrashedError, TranscriberStalledError, TranscriptionError
from domain.model.speech import HeardUnit, SpeechUnit
from domain.services.transcription.loops import without_loops
from domain.services.transcription.quality import Suspicion, covered_seconds, suspicions
from ports.recogniser_port import Hints, RecogniserPort

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


async def recognise(
    recogniser: RecogniserPort, unit: SpeechUnit, hints: Hints, recording: object
) -> CheckedUnit:
    """Recognise a unit, and once again where its words cannot be what was said, or where the engine died.

    Raises:
        TranscriptionError: the engine is at fault, or died both times.
    """
    try:
        first = await _answer(recogniser, unit, hints, recording, again=False)
    except _DEATHS as error:
        _log_failure(unit, error, "unit is recognised again")
        return await _answer(recogniser, unit, hints, recording, again=True)
    return await _doubted(recogniser, first, hints, recording) if first.suspicions else first


async def _doubted(
    recogniser: RecogniserPort, first: CheckedUnit, hints: Hints, recording: object
) -> CheckedUnit:
    """Recognise a unit again, and return the answer that fits its sound best: a doubtful one, if need be."""
    try:
        second = await _answer(recogniser, first.unit, hints, recording, again=True)
    except TranscriptionError as error:
        _log_failure(first.unit, error, "the second try failed, the first answer stays")
        return replace(first, was_retried=True)
    best = max(first, second, key=_trust)
    _log_choice(first, best)
    return replace(best, was_retried=True)


async def recognise_as(
    recogniser: RecogniserPort, checked: CheckedUnit, hints: Hints, recording: object
) -> CheckedUnit:
    """Recognise a unit again with other hints; the answer that is there stays where that fails."""
    try:
        again = await recognise(recogniser, checked.unit, hints, recording)
    except TranscriptionError as error:
        _log_failure(checked.unit, error, "recognition with other hints failed, the first answer stays")
        again = checked
    return replace(again, was_retried=True)


async def _answer(
    recogniser: RecogniserPort, unit: SpeechUnit, hints: Hints, recording: object, *, again: bool
) -> CheckedUnit:
    heard = await recogniser.recognise(unit, hints, recording=recording, again=again)
    found = suspicions(unit, heard)
    return CheckedUnit(
        unit, without_loops(heard) if Suspicion.LOOP in found else heard, found, was_retried=again
    )


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
