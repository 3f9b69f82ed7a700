"""Answers as servers give them, seen in the reports that docs/engines.md names."""

import json
from typing import Any

import pytest

from adapters.openai.answers import heard_in
from domain.model.speech import SAMPLE_RATE, HeardUnit, SpeechUnit

UNIT = SpeechUnit(
    start=0,
    samples=bytes(20 * SAMPLE_RATE),
    speech=((SAMPLE_RATE, 4 * SAMPLE_RATE), (5 * SAMPLE_RATE, 9 * SAMPLE_RATE)),
)


def heard(**answer: Any) -> HeardUnit:
    found = heard_in(json.loads(json.dumps(answer)), UNIT)
    assert found is not None
    return found


def segment(start: float, end: float, text: str, **others: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "text": text, **others}


def word(start: float, end: float, text: str, **others: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "word": text, **others}


def spans(unit: HeardUnit) -> list[tuple[float, float, str]]:
    return [(each.start, each.end, each.text) for each in unit.segments]


def words(unit: HeardUnit) -> list[list[str]]:
    return [[each.text for each in segment.words] for segment in unit.segments]


def test_a_text_alone_becomes_one_segment_over_the_speech() -> None:
    assert spans(heard(text=" Good morning. ")) == [(1.0, 9.0, "Good morning.")]


def test_an_empty_text_is_an_answer_without_words() -> None:
    assert heard(text="").text.strip() == ""


@pytest.mark.parametrize("answer", [{}, {"text": None}, {"text": 5}, {"segments": []}, [], "text", 7])
def test_an_answer_without_a_text_is_none(answer: object) -> None:
    assert heard_in(answer, UNIT) is None


def test_segments_and_words_have_their_times() -> None:
    unit = heard(
        text="Good morning. Hello.",
        segments=[segment(1, 2, " Good morning.", id=0, avg_logprob=-0.2), segment(5, 6, " Hello.", id=1)],
        words=[word(1, 1.4, "Good"), word(1.4, 2, "morning"), word(5, 6, "Hello")],
    )

    assert spans(unit) == [(1, 2, "Good morning."), (5, 6, "Hello.")]
    assert words(unit) == [["Good", "morning"], ["Hello"]]


def test_words_may_stand_in_their_segments_under_another_name_with_a_confidence() -> None:
    unit = heard(
        text="Good morning.",
        segments=[
            segment(
                1,
                2,
                "Good morning.",
                words=[
                    {"start": 1, "end": 1.5, "text": "Good", "probability": 0.75},
                    {"start": 1.5, "end": 2, "text": "morning.", "confidence": "0.5"},
                ],
            )
        ],
    )

    assert words(unit) == [["Good", "morning."]]
    assert [each.confidence for each in unit.segments[0].words] == [0.75, 0.5]


def test_words_that_are_null_although_asked_for_are_none() -> None:
    unit = heard(text="Hello.", segments=[segment(1, 2, "Hello.")], words=None)

    assert spans(unit) == [(1, 2, "Hello.")]
    assert words(unit) == [[]]


def test_numbers_may_be_strings() -> None:
    unit = heard(
        text="Hello.",
        duration="17.65",
        segments=[{"start": "1.5", "end": "2", "text": "Hello."}],
        words=[{"start": "1.5", "end": "2.0", "word": "Hello."}],
    )

    assert spans(unit) == [(1.5, 2.0, "Hello.")]
    assert words(unit) == [["Hello."]]


def test_segments_that_lack_words_of_the_text_are_not_believed() -> None:
    unit = heard(text="Good morning. This is the tail.", segments=[segment(1, 2, "Good morning.")])

    assert spans(unit) == [(1.0, 9.0, "Good morning. This is the tail.")]


@pytest.mark.parametrize(
    "broken",
    [
        {"text": "Hello."},
        {"start": None, "end": None, "text": "Hello."},
        {"start": "soon", "end": 2, "text": "Hello."},
        {"start": 1, "end": float("inf"), "text": "Hello."},
        {"start": 1, "end": 10**400, "text": "Hello."},
        {"start": 1, "end": 2, "text": None},
        "Hello.",
    ],
)
def test_a_segment_without_times_loses_no_word(broken: object) -> None:
    unit = heard(text="Hello. Good-bye.", segments=[broken, segment(5, 6, "Good-bye.")])

    assert spans(unit) == [(1.0, 9.0, "Hello. Good-bye.")]


def test_words_in_no_order_and_beyond_all_segments_are_kept() -> None:
    unit = heard(
        text="one two three",
        segments=[segment(1, 2, "one"), segment(5, 6, "two three")],
        words=[word(30, 31, "three"), word(1, 2, "one"), word(5, 6, "two")],
    )

    assert words(unit) == [["one"], ["two", "three"]]


def test_a_text_with_words_alone_keeps_their_times_unless_some_are_missing() -> None:
    both = [word(1, 2, "Good"), word(2, 3, "morning.")]

    assert words(heard(text="Good morning.", words=both)) == [["Good", "morning."]]
    assert words(heard(text="Good morning.", words=both[:1])) == [[]]


def test_half_a_character_harms_no_text() -> None:
    unit = heard_in(json.loads('{"text": "caf\\u00e9 \\ud83d"}'), UNIT)

    assert unit is not None
    assert unit.text.encode() == b"caf\xc3\xa9 "[:-1]


@pytest.mark.parametrize(
    ("answer", "language"),
    [
        ({"language": "english"}, "en"),
        ({"language": "English"}, "en"),
        ({"language": "en"}, "en"),
        ({"language": "en-US"}, "en"),
        ({"language": "haitian creole"}, "ht"),
        ({"languages": [{"code": "nl"}, {"code": "en"}]}, "nl"),
        ({"languages": ["de"]}, "de"),
        ({"languages": []}, None),
        ({"languages": [{}]}, None),
        ({"language": "unknown"}, None),
        ({"language": 7}, None),
        ({}, None),
    ],
)
def test_the_language_is_a_code_however_it_is_named(answer: dict[str, Any], language: str | None) -> None:
    assert heard(text="Hello.", **answer).language == language
