"""Quality: each way in which engines fail is suspected, and real speech is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.speech import CLOSING_PHRASES, SAMPLE_RATE, HeardSegment, HeardUnit, HeardWord, SpeechUnit
from domain.services.transcription.quality import Suspicion, covered_seconds, suspicions, words_of
from tests.support.doubles.speech import heard, unit_of

SENTENCE = "I would like to know when my order is going to arrive"


def spoken(*spans: tuple[float, float], seconds: float = 28.0) -> SpeechUnit:
    """Build a unit that holds speech between some moments, in seconds from its start."""
    speech = tuple((int(start * SAMPLE_RATE), int(end * SAMPLE_RATE)) for start, end in spans)
    return SpeechUnit(start=0, samples=b"\0\0" * int(seconds * SAMPLE_RATE), speech=speech)


def found(text: str, seconds: float) -> tuple[Suspicion, ...]:
    """Suspect a text that fills a unit of nothing but speech."""
    return suspicions(unit_of(0.0, seconds), heard(text, seconds))


def test_speech_without_text_is_suspected() -> None:
    assert suspicions(spoken((0.0, 4.0)), HeardUnit()) == (Suspicion.NO_TEXT,)


@pytest.mark.parametrize("text", ["...", " ", "- - -", "♪ ♪"])
def test_marks_are_no_text(text: str) -> None:
    assert found(text, 5.0) == (Suspicion.NO_TEXT,)


def test_a_cough_needs_no_text() -> None:
    assert suspicions(spoken((1.0, 1.6)), HeardUnit()) == ()


def test_speech_behind_the_last_segment_is_suspected() -> None:
    answer = HeardUnit(segments=(HeardSegment(start=0.0, end=10.0, text=SENTENCE),))

    assert suspicions(spoken((0.0, 27.0)), answer) == (Suspicion.TAIL_WITHOUT_TEXT,)


def test_speech_behind_the_last_word_is_suspected_though_the_segment_reaches_the_end() -> None:
    word = HeardWord(start=0.0, end=9.0, text="hello")
    answer = HeardUnit(segments=(HeardSegment(start=0.0, end=28.0, text="hello", words=(word,)),))

    assert suspicions(spoken((0.0, 27.0)), answer) == (Suspicion.TAIL_WITHOUT_TEXT,)


def test_silence_behind_the_last_word_is_not_suspected() -> None:
    answer = HeardUnit(segments=(HeardSegment(start=0.0, end=10.0, text=SENTENCE),))

    assert suspicions(spoken((0.0, 10.5)), answer) == ()


def test_a_time_beyond_the_unit_is_no_missing_tail() -> None:
    answer = HeardUnit(segments=(HeardSegment(start=0.0, end=30.02, text=SENTENCE),))

    assert suspicions(spoken((0.0, 28.0)), answer) == ()


@pytest.mark.parametrize(
    "text",
    [
        "no " * 20,
        "and then we go, " * 6,
        f"{SENTENCE}. " * 4,
        "Well, so it is. " + "I don't know. " * 5 + "Good.",
        "Thank you. Thank you! thank you, THANK YOU",
    ],
)
def test_a_phrase_that_is_repeated_without_end_is_suspected(text: str) -> None:
    assert found(text, 20.0) == (Suspicion.LOOP,)


def test_a_loop_over_several_segments_is_suspected() -> None:
    segments = tuple(
        HeardSegment(start=second, end=second + 2.0, text="See you next time.") for second in range(0, 10, 2)
    )

    assert Suspicion.LOOP in suspicions(unit_of(0.0, 10.0), HeardUnit(segments=segments))


@pytest.mark.parametrize(
    "text",
    [
        "no no no no",
        "No, no, no, no, I did not say that.",
        "very very very very good",
        "yeah yeah yeah yeah yeah I know",
        "knock knock, knock knock, who is there",
        "ha ha ha ha ha ha ha",
        "one two one two three one two one two three",
        "the number is five five five, five five five, two",
        "I am sorry, I am so sorry, I am really very sorry",
    ],
)
def test_people_do_repeat_themselves(text: str) -> None:
    assert found(text, 8.0) == ()


def test_more_words_than_can_be_spoken_are_suspected() -> None:
    words = " ".join(f"word{number}" for number in range(60))

    assert found(words, 5.0) == (Suspicion.TOO_FAST,)


def test_words_are_counted_by_the_speech_and_not_by_the_silence_around_it() -> None:
    words = " ".join(f"word{number}" for number in range(60))

    assert Suspicion.TOO_FAST in suspicions(spoken((20.0, 25.0)), heard(words, 28.0))


def test_a_fast_speaker_is_not_suspected() -> None:
    """An auctioneer speaks five words a second."""
    assert found(" ".join(f"word{number}" for number in range(100)), 20.0) == ()


def test_a_few_quick_words_are_not_suspected() -> None:
    assert found("yes I know that you did it", 0.8) == ()


@pytest.mark.parametrize("phrase", sorted(CLOSING_PHRASES))
def test_the_last_words_of_films_over_much_sound_are_suspected(phrase: str) -> None:
    assert found(f" {phrase.title()}. ", 25.0) == (Suspicion.CLOSING_PHRASE,)


@pytest.mark.parametrize(("text", "seconds"), [("Thank you.", 0.9), ("Bye-bye.", 1.2), ("you", 0.4)])
def test_short_courtesies_are_not_suspected(text: str, seconds: float) -> None:
    assert found(text, seconds) == ()


def test_a_courtesy_within_a_sentence_is_not_suspected() -> None:
    assert found("Thank you for calling, how can I help you today?", 4.0) == ()


def test_several_suspicions_are_told_together() -> None:
    answer = heard("no " * 80, 5.0)

    assert set(suspicions(spoken((0.0, 12.0)), answer)) == {
        Suspicion.LOOP,
        Suspicion.TOO_FAST,
        Suspicion.TAIL_WITHOUT_TEXT,
    }


@given(st.text(max_size=200), st.floats(0.1, 30))
def test_any_text_can_be_judged(text: str, seconds: float) -> None:
    unit, answer = unit_of(0.0, seconds), heard(text, seconds)

    assert len(set(suspicions(unit, answer))) == len(suspicions(unit, answer))
    assert 0 <= covered_seconds(unit, answer) <= unit.speech_seconds


def test_speech_counts_as_covered_up_to_a_second_behind_the_last_word() -> None:
    answer = HeardUnit(segments=(HeardSegment(start=0.0, end=9.0, text="hello"),))

    assert covered_seconds(spoken((0.0, 10.0)), answer) == pytest.approx(10.0)
    assert covered_seconds(spoken((0.0, 5.0), (15.0, 20.0)), answer) == pytest.approx(5.0)


def test_nothing_is_covered_without_words() -> None:
    assert covered_seconds(spoken((0.0, 10.0)), HeardUnit()) == 0.0


@pytest.mark.parametrize("text", ["वह लड़का की किताब का काम करता है", "அவன் வீட்டில் இருந்து வேலை செய்கிறான்"])
def test_signs_of_vowels_are_part_of_their_word(text: str) -> None:
    assert words_of(text) == text.split()
