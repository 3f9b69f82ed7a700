"""Whisper through faster-whisper, with the model of the default settings."""

from itertools import pairwise

import numpy as np
import pytest

from adapters.speech.engines.engine import SpeechEngine
from domain.model.speech import MAX_UNIT_SECONDS, SAMPLE_RATE, HeardUnit
from ports.recogniser_port import Hints
from tests.support.samples.recordings import DEMO_TEXT, Samples, silence, speech, tone

pytestmark = pytest.mark.speech

NO_HINTS = Hints()


@pytest.fixture(scope="module")
def demo(engine: SpeechEngine) -> HeardUnit:
    return recognise(engine, speech())


def recognise(
    engine: SpeechEngine, samples: Samples, hints: Hints = NO_HINTS, *, again: bool = False
) -> HeardUnit:
    return engine.recognise(samples.tobytes(), hints, again=again)


def words_of(text: str) -> list[str]:
    return "".join(each for each in text.casefold() if each.isalpha() or each.isspace()).split()


def share_of_demo(heard: HeardUnit) -> float:
    expected = DEMO_TEXT.split()
    return len(set(expected) & set(words_of(heard.text))) / len(set(expected))


def test_words_are_heard_with_punctuation_and_case(demo: HeardUnit) -> None:
    assert share_of_demo(demo) > 0.8
    assert any(each in demo.text for each in ".,")
    assert demo.text != demo.text.casefold()


def test_words_have_times_and_confidence(demo: HeardUnit) -> None:
    words = [word for segment in demo.segments for word in segment.words]

    assert [word.text for word in words] == demo.text.split()
    assert all(0 <= word.start <= word.end <= len(speech()) / SAMPLE_RATE + 0.1 for word in words)
    assert all(before.start <= after.start for before, after in pairwise(words))
    assert all(word.confidence is not None and 0 <= word.confidence <= 1 for word in words)


def test_words_are_heard_when_they_are_spoken(engine: SpeechEngine, demo: HeardUnit) -> None:
    later = recognise(engine, np.concatenate([silence(5), speech()]))

    first, moved = (heard.segments[0].words[0].start for heard in (demo, later))
    assert moved - first == pytest.approx(5, abs=0.5)


def test_the_same_unit_has_the_same_words_independent_of_earlier_ones(
    engine: SpeechEngine, demo: HeardUnit
) -> None:
    recognise(engine, speech()[5 * SAMPLE_RATE :], again=True)
    recognise(engine, tone(3))

    assert recognise(engine, speech()) == demo


def test_the_language_of_a_model_with_one_language_is_certain(demo: HeardUnit) -> None:
    assert (demo.language, demo.language_probability) == ("en", 1.0)


def test_a_second_try_hears_the_words_as_well(engine: SpeechEngine) -> None:
    again = recognise(engine, speech(), again=True)

    assert share_of_demo(again) > 0.8
    assert recognise(engine, speech(), again=True) == again


def test_vocabulary_is_taken_and_does_not_replace_what_is_said(engine: SpeechEngine) -> None:
    heard = recognise(engine, speech(), Hints("en", ("Zwieback & Söhne", "Monday")))

    assert share_of_demo(heard) > 0.7
    assert "Zwieback" not in heard.text


@pytest.mark.parametrize("again", [False, True], ids=["first try", "second try"])
@pytest.mark.parametrize("seconds", [0.1, 5.0])
def test_silence_is_no_error(engine: SpeechEngine, seconds: float, again: bool) -> None:  # noqa: FBT001
    heard = recognise(engine, silence(seconds), again=again)

    assert len(heard.text.split()) < 5


def test_no_sound_at_all_is_no_error(engine: SpeechEngine) -> None:
    assert recognise(engine, silence(0)).text == ""


def test_the_longest_unit_is_heard_to_its_end(engine: SpeechEngine) -> None:
    longest = np.tile(speech(), 3)[: int(MAX_UNIT_SECONDS * SAMPLE_RATE)]

    heard = recognise(engine, longest)

    assert heard.segments[-1].end > MAX_UNIT_SECONDS - 5
    assert len(words_of(heard.text)) > 2 * len(DEMO_TEXT.split())
