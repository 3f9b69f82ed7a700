"""Language of a recording: what its units vote for, and which of them are overruled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.speech import HeardUnit
from domain.services.transcription.language import SECONDS_OF_A_VERDICT, SURE, LanguageVote
from tests.support.doubles.speech import heard, unit_of

UNSURE = SURE / 2
LONG = unit_of(0.0, SECONDS_OF_A_VERDICT)


def told(language: str | None, probability: float | None = 0.95, text: str = "hello") -> HeardUnit:
    return heard(text, language=language).model_copy(update={"language_probability": probability})


def vote_of(*answers: HeardUnit) -> LanguageVote:
    """Vote with units of half a minute."""
    vote = LanguageVote()
    for answer in answers:
        vote.decide(LONG, answer)
    return vote


def test_without_speech_there_is_no_language() -> None:
    vote = LanguageVote()

    assert (vote.language, vote.probability, vote.others) == (None, None, ())


def test_an_engine_that_tells_no_language_casts_no_vote() -> None:
    assert vote_of(told(None), told(None)).language is None


def test_a_unit_without_words_casts_no_vote() -> None:
    assert vote_of(told("cy", text=" ")).language is None


def test_the_language_of_most_speech_wins() -> None:
    vote = vote_of(told("en"), told("nl"), told("nl"))

    assert (vote.language, vote.others) == ("nl", ("en",))
    assert vote.probability == pytest.approx(2 * 0.95 / 3, abs=0.001)


def test_long_units_count_more_than_short_ones() -> None:
    vote = LanguageVote()
    for _ in range(3):
        vote.decide(unit_of(0.0, 2.0), told("cy"))
    vote.decide(unit_of(0.0, 20.0), told("en"))

    assert vote.language == "en"


def test_a_meeting_that_opens_in_english_and_goes_on_in_dutch_is_dutch() -> None:
    """Five minutes of English, and 55 of Dutch that the engine is never sure of."""
    vote = LanguageVote()
    overruled = [vote.decide(LONG, told("en")) for _ in range(10)]
    overruled += [vote.decide(LONG, told("nl", UNSURE)) for _ in range(110)]

    assert vote.language == "nl"
    assert [language for language in overruled if language] == ["en"]  # the first unit, which stands alone
    assert vote.others == ("en",)


def test_a_mumbled_unit_is_overruled_and_is_no_other_language_of_the_recording() -> None:
    vote = vote_of(told("en"), told("en"))

    assert vote.decide(unit_of(60.0, 2.0), told("cy", UNSURE)) == "en"
    assert (vote.language, vote.others) == ("en", ())


def test_a_unit_that_is_sure_of_its_language_stands() -> None:
    vote = vote_of(told("en"), told("en"))

    assert vote.decide(LONG, told("de", SURE)) is None
    assert vote.others == ("de",)


def test_two_units_in_a_row_that_agree_stand_though_they_are_not_sure() -> None:
    vote = vote_of(told("en"), told("en"))

    assert [vote.decide(LONG, told("nl", UNSURE)) for _ in range(3)] == ["en", None, None]
    assert vote.decide(LONG, told("en", UNSURE)) is None


def test_before_half_a_minute_of_speech_no_unit_is_overruled() -> None:
    vote = LanguageVote()
    vote.decide(unit_of(0.0, 5.0), told("en"))

    assert vote.decide(unit_of(5.0, 5.0), told("de", UNSURE)) is None


def test_an_engine_that_tells_no_probability_gets_none_invented() -> None:
    vote = vote_of(told("en", None), told("en", None))

    assert (vote.language, vote.probability) == ("en", None)


def test_an_engine_that_tells_no_probability_is_not_overruled() -> None:
    vote = vote_of(told("en"), told("en"))

    assert vote.decide(LONG, told("de", None)) is None


def test_a_unit_without_a_language_or_words_is_not_recognised_again() -> None:
    vote = vote_of(told("en"), told("en"))

    assert vote.decide(LONG, told(None, UNSURE)) is None
    assert vote.decide(LONG, told("cy", UNSURE, text="")) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["en", "de", "cy", None]),
            st.none() | st.floats(-1, 2),
            st.floats(0.1, 28),
            st.sampled_from(["", "hello"]),
        ),
        max_size=20,
    )
)
def test_the_probability_is_one_and_the_languages_were_heard(
    answers: list[tuple[str | None, float | None, float, str]],
) -> None:
    vote = LanguageVote()
    for language, probability, seconds, text in answers:
        vote.decide(unit_of(0.0, seconds), told(language, probability, text))

    named = {language for language, _, _, text in answers if text and language}
    assert (vote.language is None) == (not named)
    assert vote.probability is None or 0 <= vote.probability <= 1
    assert {vote.language, *vote.others} <= named | {None}
    assert vote.language not in vote.others
