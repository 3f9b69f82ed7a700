"""Canned engine: the same sentences for every sound of a length."""

import itertools

import pytest

from adapters.speech.engines.canned import SENTENCES, WORDS_PER_SECOND, CannedEngine
from domain.model.speech import MAX_UNIT_SECONDS, HeardUnit
from domain.model.transcripts import DEFAULT_OPTIONS
from ports.recogniser_port import Hints
from tests.support.samples.recordings import Samples, silence, tone


def _heard(samples: Samples, *, again: bool = False) -> HeardUnit:
    return CannedEngine().recognise(samples.tobytes(), Hints(), again=again)


def test_it_always_says_the_same() -> None:
    assert _heard(tone(30)) == _heard(silence(30)) == _heard(silence(30), again=True)


def test_it_speaks_for_as_long_as_the_unit_plays() -> None:
    heard = _heard(silence(MAX_UNIT_SECONDS))

    words = len(heard.text.split())
    assert 0.7 * MAX_UNIT_SECONDS * WORDS_PER_SECOND < words <= MAX_UNIT_SECONDS * WORDS_PER_SECOND
    assert MAX_UNIT_SECONDS - 5 < heard.segments[-1].end <= MAX_UNIT_SECONDS


def test_its_sentences_have_pauses_between_them() -> None:
    segments = _heard(silence(60)).segments

    assert [segment.text for segment in segments[: len(SENTENCES)]] == list(SENTENCES)
    assert all(after.start - before.end > 0.5 for before, after in itertools.pairwise(segments))


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_unit_too_short_for_a_word_is_silent(seconds: float) -> None:
    assert _heard(silence(seconds)) == HeardUnit()


def test_it_takes_every_language_and_vocabulary_and_regards_neither() -> None:
    hints = Hints("cy", ("Llanfair",))
    options = DEFAULT_OPTIONS.model_copy(update=hints._asdict())

    CannedEngine().description.check(options)
    assert CannedEngine().recognise(silence(5).tobytes(), hints) == _heard(silence(5))
