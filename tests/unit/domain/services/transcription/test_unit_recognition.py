"""Recognition of one unit: a second try for answers that cannot be true, and the better one of both."""

import logging

import pytest

from domain.model.engines import EngineDescription
from domain.model.errors import (
    TranscriberCrashedError,
    TranscriberStalledError,
    TranscriberUnavailableError,
    TranscriptionFailedError,
    TranscriptionTooCostlyError,
)
from domain.model.speech import HeardUnit, SpeechUnit
from domain.services.transcription.quality import Suspicion
from domain.services.transcription.unit_recognition import CheckedRecogniser, CheckedUnit
from ports.recogniser_port import Hints
from tests.support.doubles.speech import FakeRecogniser, UnitCall, heard, unit_of

LOOP = heard("thank you so much " * 8)
GOOD = heard("I would like to know when my order is going to arrive")
HALF = heard("I would like to know", 3.0)
UNIT = unit_of(5.0, 10.0)
RECORDING = object()
ENGINE = EngineDescription("whisper", "tiny")

Answer = HeardUnit | Exception


def engine(*answers: Answer) -> FakeRecogniser:
    """Build a recogniser that gives some answers in turn, or raises them."""
    left = list(answers)

    def answer(_: UnitCall) -> HeardUnit:
        if isinstance(first := left.pop(0), Exception):
            raise first
        return first

    return FakeRecogniser(answer)


async def checked(recogniser: FakeRecogniser, unit: SpeechUnit = UNIT) -> CheckedUnit:
    return await CheckedRecogniser(recogniser, ENGINE).recognise(unit, Hints("en", ("Acme",)), RECORDING)


async def test_an_answer_that_fits_the_sound_is_taken() -> None:
    recogniser = engine(GOOD)

    result = await checked(recogniser)

    assert (result.heard, result.suspicions, result.was_retried) == (GOOD, (), False)
    (call,) = recogniser.calls
    assert (call.hints, call.recording, call.again) == (Hints("en", ("Acme",)), RECORDING, False)


@pytest.mark.parametrize("bad", [HeardUnit(), LOOP, HALF, heard("Thanks for watching!")], ids=repr)
async def test_an_answer_that_contradicts_the_sound_is_asked_for_again(bad: HeardUnit) -> None:
    recogniser = engine(bad, GOOD)

    result = await checked(recogniser)

    assert (result.heard, result.suspicions, result.was_retried) == (GOOD, (), True)
    assert [call.again for call in recogniser.calls] == [False, True]
    assert recogniser.calls[1].hints == Hints("en", ("Acme",))


@pytest.mark.parametrize("error", [TranscriberCrashedError("killed"), TranscriberStalledError("silent")])
async def test_a_unit_whose_engine_died_is_asked_for_again(error: Exception) -> None:
    result = await checked(engine(error, GOOD))

    assert (result.heard, result.suspicions, result.was_retried) == (GOOD, (), True)


async def test_an_engine_that_dies_twice_is_an_error() -> None:
    with pytest.raises(TranscriberStalledError):
        await checked(engine(TranscriberCrashedError("killed"), TranscriberStalledError("silent")))


@pytest.mark.parametrize(
    "error",
    [
        TranscriberCrashedError("killed"),
        TranscriberStalledError("silent"),
        TranscriberUnavailableError("out of reach"),
        TranscriptionFailedError("refused"),
        TranscriptionTooCostlyError("noise"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_engine_that_fails_at_the_second_try_costs_only_the_second_try(error: Exception) -> None:
    result = await checked(engine(HALF, error))

    assert (result.heard, result.was_retried) == (HALF, True)
    assert result.suspicions == (Suspicion.TAIL_WITHOUT_TEXT,)


async def test_other_errors_are_not_tried_again() -> None:
    recogniser = engine(TranscriptionTooCostlyError("noise"), GOOD)

    with pytest.raises(TranscriptionTooCostlyError):
        await checked(recogniser)

    assert len(recogniser.calls) == 1


async def test_an_engine_that_loops_twice_is_doubted_and_its_loop_is_kept_once() -> None:
    result = await checked(engine(LOOP, LOOP))

    assert result.heard.text == "thank you so much"
    assert Suspicion.LOOP in result.suspicions


@pytest.mark.parametrize(("first", "second"), [(HALF, LOOP), (HALF, HeardUnit()), (HALF, heard("so", 1.0))])
async def test_the_first_answer_stays_where_the_second_is_no_better(
    first: HeardUnit, second: HeardUnit
) -> None:
    result = await checked(engine(first, second))

    assert result.heard == first
    assert result.was_retried


async def test_of_two_answers_as_good_as_each_other_the_second_was_made_with_more_care() -> None:
    careful = heard("I would like to go", 3.0)

    assert (await checked(engine(HALF, careful))).heard == careful


async def test_speech_that_is_covered_is_measured_on_the_answer_that_stays() -> None:
    result = await checked(engine(HeardUnit(), HALF))

    assert result.covered_seconds == pytest.approx(4.0)


async def test_the_log_says_why_without_a_word_of_the_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    await checked(engine(LOOP, GOOD))
    await checked(engine(TranscriberCrashedError("killed"), GOOD))
    await checked(engine(LOOP, TranscriberStalledError("silent")))

    doubted, died, died_again = (vars(record) for record in caplog.records)
    assert (doubted["first_suspicions"], doubted["suspicions"]) == (["loop"], [])
    assert (doubted["unit_start_seconds"], doubted["unit_seconds"]) == (5.0, 10.0)
    assert died["error_type"] == "TranscriberCrashedError"
    assert died_again["error_type"] == "TranscriberStalledError"
    assert "order" not in str([doubted, died, died_again])


async def test_an_answer_stays_where_recognition_in_another_language_fails() -> None:
    recogniser = engine(GOOD, TranscriberUnavailableError("out of reach"))
    checking = CheckedRecogniser(recogniser, ENGINE)
    first = await checking.recognise(unit_of(), Hints(), object())

    again = await checking.recognise_as(first, Hints("en"), object())

    assert (again.heard, again.was_retried) == (GOOD, True)


class Saved(dict[str, str]):
    """Checkpoint in memory."""

    def find(self, fingerprint: str, /) -> str | None:
        return self.get(fingerprint)

    def save(self, fingerprint: str, result_json: str, /) -> None:
        self[fingerprint] = result_json


async def resumed(saved: Saved, unit: SpeechUnit, *, model: str = "tiny", language: str = "en") -> bool:
    """Recognise a unit with a checkpoint; tell whether the engine had no work."""
    recogniser = engine(GOOD)
    checking = CheckedRecogniser(recogniser, EngineDescription("whisper", model), saved)
    result = await checking.recognise(unit, Hints(language), object())
    assert (result.unit, result.heard) == (unit, GOOD)
    return not recogniser.calls


async def test_a_finished_unit_is_not_recognised_again() -> None:
    saved, unit = Saved(), unit_of(5.0, 10.0)

    assert not await resumed(saved, unit)
    assert await resumed(saved, unit)


async def test_a_finished_unit_counts_for_the_same_sound_engine_and_hints_only() -> None:
    saved, unit = Saved(), unit_of(5.0, 10.0)
    await resumed(saved, unit)

    assert not await resumed(saved, unit_of(5.0, 9.0))
    assert not await resumed(saved, unit, model="base")
    assert not await resumed(saved, unit, language="nl")


async def test_a_doubtful_answer_is_saved_with_its_doubts() -> None:
    saved, unit = Saved(), unit_of(5.0, 10.0)
    first = await CheckedRecogniser(engine(HALF, HALF), ENGINE, saved).recognise(unit, Hints(), object())

    again = await CheckedRecogniser(engine(), ENGINE, saved).recognise(unit, Hints(), object())

    assert again == first
    assert again.was_retried
    assert again.suspicions
