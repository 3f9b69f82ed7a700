"""Joining: an engine's times become times of the recording, for any times that an engine may name."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.speech import BYTES_PER_SAMPLE, SAMPLE_RATE, HeardSegment, HeardUnit, HeardWord, SpeechUnit
from domain.model.transcripts import Segment, Word
from domain.services.transcription.joining import segments_of
from tests.support.doubles.speech import heard, unit_of

MOMENTS = st.one_of(
    st.floats(-5, 40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 10.0, 30.0, 30.02]),
)
TEXTS = st.one_of(st.sampled_from(["", " ", "hello", " you ", "two\nlines", "a\x85b"]), st.text(max_size=12))
WORDS = st.builds(
    HeardWord,
    start=MOMENTS,
    end=MOMENTS,
    text=TEXTS,
    confidence=st.none() | st.floats(-2, 2) | st.floats(allow_nan=False, allow_infinity=False),
)
SEGMENTS = st.builds(
    HeardSegment,
    start=MOMENTS,
    end=MOMENTS,
    text=TEXTS,
    words=st.lists(WORDS, max_size=4).map(tuple),
    speaker=st.none() | st.just("A"),
)
ANSWERS = st.builds(HeardUnit, segments=st.lists(SEGMENTS, max_size=5).map(tuple))
UNITS = st.builds(
    lambda start, samples: SpeechUnit(start=start, samples=b"\0\0" * samples, speech=((0, samples),)),
    start=st.integers(0, 5 * 3600 * SAMPLE_RATE),
    samples=st.integers(1, 3 * SAMPLE_RATE),
)


def joined(unit: SpeechUnit, answer: HeardUnit) -> list[Segment]:
    return list(segments_of(unit, answer))


@given(UNITS, ANSWERS)
def test_all_times_lie_within_the_unit_and_follow_each_other(unit: SpeechUnit, answer: HeardUnit) -> None:
    segments = joined(unit, answer)

    moments = [moment for segment in segments for moment in (segment.start, segment.end)]
    assert moments == sorted(moments)
    assert all(moment >= unit.start_seconds - 0.001 for moment in moments)
    end = (unit.start + len(unit.samples) // BYTES_PER_SAMPLE) / SAMPLE_RATE  # a sum of seconds is less exact
    assert all(moment <= end for moment in moments)


@given(UNITS, ANSWERS)
def test_words_lie_within_their_segment_and_follow_each_other(unit: SpeechUnit, answer: HeardUnit) -> None:
    for segment in joined(unit, answer):
        moments = [moment for word in segment.words for moment in (word.start, word.end)]
        assert [segment.start, *moments, segment.end] == sorted([segment.start, *moments, segment.end])


@given(UNITS, ANSWERS)
def test_every_text_is_kept_once_and_on_one_line(unit: SpeechUnit, answer: HeardUnit) -> None:
    segments = joined(unit, answer)

    spoken = [segment for segment in answer.segments if segment.text.strip()]
    assert [segment.text.split() for segment in segments] == [segment.text.split() for segment in spoken]
    assert all(len(segment.text.splitlines()) == 1 for segment in segments)
    for segment, origin in zip(segments, spoken, strict=True):
        wanted = [word.text.split() for word in origin.words if word.text.strip()]
        assert [word.text.split() for word in segment.words] == wanted


@given(UNITS, ANSWERS)
def test_confidences_are_probabilities(unit: SpeechUnit, answer: HeardUnit) -> None:
    sure = [word.confidence for segment in joined(unit, answer) for word in segment.words]

    assert all(confidence is None or 0 <= confidence <= 1 for confidence in sure)


def test_times_are_shifted_by_the_first_sample_of_the_unit() -> None:
    unit = unit_of(3600.5, 4.0)

    (segment,) = joined(unit, heard("hello world", 4.0))

    assert (segment.start, segment.end) == (3600.5, 3604.5)
    assert segment.words == (
        Word(start=3600.5, end=3602.5, text="hello", confidence=0.9),
        Word(start=3602.5, end=3604.5, text="world", confidence=0.9),
    )


def test_an_end_beyond_the_unit_is_its_end() -> None:
    answer = HeardUnit(segments=(HeardSegment(start=1.0, end=30.02, text="hello"),))

    (segment,) = joined(unit_of(60.0, 30.0), answer)

    assert (segment.start, segment.end) == (61.0, 90.0)


def test_a_segment_that_ends_before_it_starts_has_no_length() -> None:
    answer = HeardUnit(segments=(HeardSegment(start=7.0, end=3.0, text="hello"),))

    (segment,) = joined(unit_of(0.0, 10.0), answer)

    assert (segment.start, segment.end) == (7.0, 7.0)


def test_overlapping_segments_are_taken_apart() -> None:
    answer = HeardUnit(
        segments=(
            HeardSegment(start=0.0, end=6.0, text="first"),
            HeardSegment(start=4.0, end=8.0, text="second"),
        )
    )

    segments = joined(unit_of(0.0, 10.0), answer)

    assert [(segment.start, segment.end) for segment in segments] == [(0.0, 6.0), (6.0, 8.0)]


def test_units_that_touch_give_segments_that_do_not_overlap() -> None:
    seam = 160_009  # samples: no whole millisecond
    first = SpeechUnit(start=0, samples=b"\0\0" * seam, speech=((0, seam),))
    second = SpeechUnit(start=seam, samples=b"\0\0" * SAMPLE_RATE, speech=((0, SAMPLE_RATE),))
    too_long = HeardUnit(segments=(HeardSegment(start=-1.0, end=99.0, text="hello"),))

    ends, starts = joined(first, too_long)[-1].end, joined(second, too_long)[0].start

    assert ends <= starts


def test_voice_speaker_and_doubt_are_passed_on() -> None:
    answer = HeardUnit(segments=(HeardSegment(start=0.0, end=1.0, text="hello", speaker="B"),))

    (segment,) = segments_of(unit_of(0.0, 2.0, track=2, channel=1), answer, is_doubtful=True)

    assert (segment.track, segment.channel, segment.speaker) == (2, 1, "B")
    assert segment.is_doubtful


@pytest.mark.parametrize("text", ["", " \n "])
def test_segments_without_words_are_dropped(text: str) -> None:
    answer = HeardUnit(
        segments=(
            HeardSegment(start=0.0, end=9.0, text=text),
            HeardSegment(start=1.0, end=2.0, text="hello"),
        )
    )

    segments = joined(unit_of(0.0, 10.0), answer)

    assert [(segment.start, segment.text) for segment in segments] == [(1.0, "hello")]


def test_a_whole_recording_of_wrong_times_is_in_order() -> None:
    answers = [HeardUnit(segments=(HeardSegment(start=9.0, end=30.02, text="hello"),))] * 5
    units = [unit_of(number * 10.0, 10.0) for number in range(5)]

    segments = [each for unit, answer in zip(units, answers, strict=True) for each in joined(unit, answer)]

    assert all(before.end <= after.start for before, after in pairwise(segments))
