"""Loops: what an engine repeats without end is kept once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.speech import HeardSegment, HeardUnit
from domain.services.transcription.loops import without_loops
from domain.services.transcription.quality import has_loop, words_of
from tests.support.doubles.speech import heard

PHRASES = st.lists(st.sampled_from(["alfa", "bravo", "charlie", "delta"]), min_size=1, max_size=5)


def reduced(text: str) -> str:
    return without_loops(heard(text)).text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("no " * 30, "no"),
        ("Well, " + "thank you. " * 12 + "Bye.", "Well, thank you. Bye."),
        ("I don't know. " * 9, "I don't know."),
        ("no " * 10 + "and " + "yes " * 10, "no and yes"),
        ("so what " * 4 + "what " * 9, "so what"),  # two loops that share a word
        ("Thank you, thank you. Thank you! THANK you", "Thank you,"),
    ],
)
def test_a_loop_is_reduced_to_its_first_phrase(text: str, kept: str) -> None:
    assert reduced(text) == kept


@pytest.mark.parametrize(
    "text", ["no no no no", "very very very very good", "one two three one two three", ""]
)
def test_what_people_repeat_is_kept(text: str) -> None:
    assert reduced(text) == text


def test_the_words_that_are_kept_keep_their_times() -> None:
    looped = heard("so " + "thank you " * 5, 11.0)

    (segment,) = without_loops(looped).segments

    assert [(word.text, word.start) for word in segment.words] == [("so", 0.0), ("thank", 1.0), ("you", 2.0)]


def test_words_that_do_not_fit_the_text_are_dropped_with_the_loop() -> None:
    looped = heard("thank you " * 5)
    (segment,) = looped.segments
    partly = looped.model_copy(
        update={"segments": (segment.model_copy(update={"words": segment.words[:3]}),)}
    )

    (kept,) = without_loops(partly).segments

    assert (kept.text, kept.words) == ("thank you", ())


def test_a_segment_that_repeats_the_one_before_is_dropped() -> None:
    segments = tuple(
        HeardSegment(start=second, end=second + 1.0, text=text)
        for second, text in enumerate(["Hello.", "See you.", "see you", "See you!", "Bye."])
    )

    kept = without_loops(HeardUnit(segments=segments)).segments

    assert [(segment.start, segment.text) for segment in kept] == [
        (0.0, "Hello."),
        (1.0, "See you."),
        (4.0, "Bye."),
    ]


def test_language_and_probability_stay() -> None:
    looped = heard("no " * 30, language="de")

    assert without_loops(looped).language == "de"
    assert without_loops(looped).language_probability == looped.language_probability


@given(PHRASES, st.integers(0, 30), PHRASES, PHRASES)
def test_no_loop_is_left_and_no_word_is_invented(
    before: list[str], times: int, phrase: list[str], after: list[str]
) -> None:
    text = " ".join([*before, *phrase * times, *after])

    kept = words_of(reduced(text))

    assert not has_loop(kept)
    assert set(kept) == set(words_of(text))
    assert len(kept) <= len(words_of(text))


@pytest.mark.parametrize("text", ["My PIN is " + "nine " * 8 + "thanks", "it is" + " 0" * 9, "w " * 9])
def test_what_is_counted_or_spelt_is_kept_however_often(text: str) -> None:
    told = heard(text)

    assert without_loops(told).text.split() == text.split()
    assert not has_loop(words_of(text))
