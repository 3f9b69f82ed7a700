"""Recognition of one unit: twice, where the first answer contradicts the sound or the engine died."""

import logging
from dataclasses import dataclass

from domain.model.errors import TranscriberCrashedError, TranscriberStalledError
from domain.model.speech import HeardUnit, SpeechUnit
from domain.services.transcription.loops import without_loops
from domain.services.transcription.quality import Suspicion, covered_seconds, suspicions
from ports.recogniser_port import Hints, RecogniserPort

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckedUnit:
    """A unit with the answer that fits its sound best."""

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
        TranscriptionError: the engine is at fault, at the second try too where it died.
    """
    first = await _first_answer(recogniser, unit, hints, recording)
    if first is not None and not first.suspicions:
        return first
    second = await _answer(recogniser, unit, hints, recording, again=True)
    best = second if first is None else max(first, second, key=_trust)
    _log(first, best)
    heard = without_loops(best.heard) if Suspicion.LOOP in best.suspicions else best.heard
    return CheckedUnit(unit, heard, best.suspicions, was_retried=True)


async def _first_answer(
    recogniser: RecogniserPort, unit: SpeechUnit, hints: Hints, recording: object
) -> CheckedUnit | None:
    try:
        return await _answer(recogniser, unit, hints, recording, again=False)
    except (TranscriberCrashedError, TranscriberStalledError) as error:
        logger.warning(
            "unit is recognised again",
            extra={"unit_start_seconds": unit.start_seconds, "error_type": type(error).__name__},
        )
        return None


async def _answer(
    recogniser: RecogniserPort, unit: SpeechUnit, hints: Hints, recording: object, *, again: bool
) -> CheckedUnit:
    heard = await recogniser.recognise(unit, hints, recording=recording, again=again)
    return CheckedUnit(unit, heard, suspicions(unit, heard), was_retried=again)


def _trust(checked: CheckedUnit) -> tuple[int, float, bool]:
    """Rank answers: few contradictions, then much of the speech, then the later one, made with more care."""
    return -len(checked.suspicions), checked.covered_seconds, checked.was_retried


def _log(first: CheckedUnit | None, best: CheckedUnit) -> None:
    logger.info(
        "unit was recognised twice",
        extra={
            "unit_start_seconds": best.unit.start_seconds,
            "unit_seconds": best.unit.seconds,
            "first_suspicions": [each.value for each in first.suspicions] if first else ["no-answer"],
            "suspicions": [each.value for each in best.suspicions],
        },
    )
