"""Cues: where a transcript is cut, and when its parts are shown."""

from itertools import pairwise

import pytest

from domain.model.transcripts import Segment, Transcript, Word
from domain.services.subtitles.cues import Cue, cues_of

LONG = (
    "I would like to know when my order is going to arrive, because I have been waiting for it since last "
    "week. It should have been here on Monday. Can you tell me where it is?"
)


def timed(text: str, start: float, *, pace: float = 0.4, channel: int | None = None) -> Segment:
    """Build a segment with a word every `pace` seconds."""
    words = tuple(
        Word(start=start + number * pace, end=start + (number + 1) * pace, text=word)
        for number, word in enumerate(text.split())
    )
    return Segment(start=start, end=words[-1].end, text=text, words=words, channel=channel)


def shown(*segments: Segment, with_labels: bool = False) -> list[Cue]:
    in_order = tuple(sorted(segments, key=lambda segment: segment.start))
    return cues_of(Transcript(duration_seconds=600.0, segments=in_order), with_labels=with_labels)


def texts(cues: list[Cue]) -> list[str]:
    return [" ".join(cue.lines) for cue in cues]


def test_a_short_segment_is_one_cue_of_one_line() -> None:
    assert shown(timed("I would like to know", 2.0)) == [Cue(2000, 4000, ("I would like to know",))]


def test_a_longer_one_has_two_lines_of_about_the_same_length() -> None:
    (cue,) = shown(timed("I would like to know when my order is going to arrive", 0.0))

    assert cue.lines == ("I would like to know when", "my order is going to arrive")


def test_a_long_segment_is_cut_at_the_ends_of_its_sentences_and_clauses() -> None:
    assert texts(shown(timed(LONG, 0.0, pace=0.3))) == [
        "I would like to know when my order is going to arrive,",
        "because I have been waiting for it since last week.",
        "It should have been here on Monday. Can you tell me where it is?",
    ]


def test_each_part_is_shown_while_its_words_are_spoken() -> None:
    segment = timed(LONG, 60.0)

    for cue in shown(segment):
        words = " ".join(cue.lines).split()
        starts = [word for word in segment.words if word.start == cue.start / 1000]
        assert [word.text for word in starts] == words[:1]
        assert cue.end - cue.start == pytest.approx(400 * len(words), abs=1)


def test_a_segment_without_words_is_cut_in_proportion_to_its_letters() -> None:
    cues = shown(Segment(start=0.0, end=12.0, text=LONG))

    assert texts(cues) == texts(shown(timed(LONG, 0.0, pace=0.3)))
    assert (cues[0].start, cues[-1].end) == (0, 12_000)
    assert all(before.end == after.start for before, after in pairwise(cues))


def test_punctuation_of_the_text_is_kept_where_words_have_none() -> None:
    words = (Word(start=1.0, end=1.5, text="hello"), Word(start=5.0, end=5.5, text="world"))
    segment = Segment(start=1.0, end=9.0, text="Hello, - world!", words=words)

    cues = shown(segment)

    assert texts(cues) == ["Hello,", "- world!"]
    assert [cue.start for cue in cues] == [1000, 5000]


def test_a_text_without_spaces_is_cut_by_its_punctuation() -> None:
    text = "今日は天気がいいですね。" * 8

    cues = shown(Segment(start=0.0, end=12.0, text=text))

    assert "".join("".join(cue.lines) for cue in cues) == text
    assert all(line.endswith("。") for cue in cues for line in cue.lines)


def test_a_pause_ends_a_cue() -> None:
    words = (Word(start=1.0, end=1.5, text="Well"), Word(start=5.0, end=5.5, text="no"))

    cues = shown(Segment(start=1.0, end=5.5, text="Well no", words=words))

    assert [(cue.lines, cue.start) for cue in cues] == [(("Well",), 1000), (("no",), 5000)]


def test_a_word_that_never_ends_is_shown_for_a_while() -> None:
    (cue,) = shown(Segment(start=0.0, end=300.0, text="hello"))

    assert cue.end - cue.start <= 7000


def test_a_short_cue_stands_until_it_can_be_read_or_the_next_one_begins() -> None:
    yes, no, good = (timed(text, start, pace=0.1) for text, start in (("Yes", 1.0), ("no", 1.5), ("ok", 9.0)))

    assert [(cue.start, cue.end) for cue in shown(yes, no, good)] == [
        (1000, 1500),
        (1500, 2500),
        (9000, 10_000),
    ]


def test_an_interruption_stands_where_it_is_spoken() -> None:
    told = timed("I would like to know when my order is going to arrive", 0.0, channel=1)

    cues = shown(told, timed("Mhm.", 1.9, channel=2))

    assert texts(cues) == ["I would like to know", "Mhm.", "when my order is going to arrive"]
    assert [cue.voice for cue in cues] == ["Channel 1", "Channel 2", "Channel 1"]
    assert [cue.start for cue in cues][:2] == [0, 1900]


def test_two_voices_at_once_follow_each_other_and_both_can_be_read() -> None:
    cues = shown(timed("I did not say that", 0.0, channel=1), timed("Yes you did say it", 0.0, channel=2))

    assert texts(cues) == ["I did not say that", "Yes you did say it"]
    assert all(cue.end - cue.start >= 900 for cue in cues)


def test_many_voices_at_one_moment_are_all_shown_in_their_order() -> None:
    cues = shown(*(Segment(start=1.0, end=1.0, text=f"word {number}") for number in range(20)))

    assert texts(cues) == [f"word {number}" for number in range(20)]
    assert all(before.end <= after.start for before, after in pairwise(cues))


def test_labels_name_a_voice_where_another_one_begins() -> None:
    turns = [
        timed("Hello.", 0.0, channel=1),
        timed("Hi there.", 2.0, channel=2),
        timed("How are you?", 4.0, channel=2),
        timed("Fine.", 6.0, channel=1),
    ]

    assert texts(shown(*turns, with_labels=True)) == [
        "Channel 1: Hello.",
        "Channel 2: Hi there.",
        "How are you?",
        "Channel 1: Fine.",
    ]


def test_a_label_comes_again_behind_an_interruption() -> None:
    told = timed("I would like to know when my order is going to arrive", 0.0, channel=1)

    cues = shown(told, timed("Mhm.", 1.9, channel=2), with_labels=True)

    assert texts(cues) == [
        "Channel 1: I would like to know",
        "Channel 2: Mhm.",
        "Channel 1: when my order is going to arrive",
    ]


def test_a_single_voice_has_no_label() -> None:
    assert texts(shown(timed("Hello.", 0.0), with_labels=True)) == ["Hello."]
