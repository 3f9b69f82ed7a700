"""Units: properties of the cut for any speech and pauses, and the cases that recordings bring."""

import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.speech.cutting.units import (
    BREAK,
    ENDING_PAUSE,
    MIN_SPEECH,
    MIN_UNIT,
    PADDING,
    USUAL_UNIT,
    speech_units,
)
from adapters.speech.cutting.voice_activity import FRAME_SAMPLES, Frame
from domain.model.speech import BYTES_PER_SAMPLE, MAX_UNIT_SECONDS, SAMPLE_RATE, SPEECH_THRESHOLD, SpeechUnit

pytestmark = pytest.mark.slow


class Run(NamedTuple):
    """Frames in a row that are speech, or are not."""

    is_speech: bool
    frames: int


def seconds(length: float, *, speech: bool) -> Run:
    return Run(speech, round(length * SAMPLE_RATE / FRAME_SAMPLES))


def frames_of(runs: Iterable[Run], last_samples: int = FRAME_SAMPLES, loudness: int = 1000) -> list[Frame]:
    """Build frames in which no two samples nearby are alike; the last one may be shorter."""
    kinds = [run.is_speech for run in runs for _ in range(run.frames)]
    numbers = np.arange(len(kinds) * FRAME_SAMPLES, dtype=np.int64) * 7919 % (2 * loudness) - loudness
    sound = numbers.astype("<i2").reshape(-1, FRAME_SAMPLES)
    frames = [Frame(each.tobytes(), float(kind)) for each, kind in zip(sound, kinds, strict=True)]
    if frames:
        last = frames[-1]
        frames[-1] = last._replace(samples=last.samples[: last_samples * BYTES_PER_SAMPLE])
    return frames


def sound_of(frames: Iterable[Frame]) -> bytes:
    return b"".join(frame.samples for frame in frames)


def end_of(unit: SpeechUnit) -> int:
    return unit.start + len(unit.samples) // BYTES_PER_SAMPLE


RUNS = st.lists(
    st.one_of(
        st.builds(Run, is_speech=st.just(value=True), frames=st.integers(1, 2_200)),
        st.builds(Run, is_speech=st.just(value=False), frames=st.integers(1, 400)),
        st.builds(Run, is_speech=st.booleans(), frames=st.integers(1, 8)),
    ),
    max_size=12,
)
LAST = st.integers(1, FRAME_SAMPLES)


@given(RUNS, LAST)
def test_units_do_not_overlap_and_are_exact_to_the_sample(runs: list[Run], last: int) -> None:
    frames = frames_of(runs, last)
    sound = sound_of(frames)

    units = list(speech_units(frames))

    assert all(
        before_end <= after.start for before_end, after in zip(map(end_of, units), units[1:], strict=False)
    )
    for unit in units:
        assert unit.samples == sound[unit.start * BYTES_PER_SAMPLE : end_of(unit) * BYTES_PER_SAMPLE]


@given(RUNS, LAST)
def test_no_unit_is_longer_than_the_engine_takes_at_once(runs: list[Run], last: int) -> None:
    assert all(unit.seconds <= MAX_UNIT_SECONDS for unit in speech_units(frames_of(runs, last)))


@given(RUNS, LAST)
def test_the_speech_of_a_unit_is_told_and_lies_in_it(runs: list[Run], last: int) -> None:
    frames = frames_of(runs, last)
    spoken = np.repeat(
        [frame.probability > 0 for frame in frames], [len(frame.samples) // 2 for frame in frames]
    )

    for unit in speech_units(frames):
        told = np.zeros(end_of(unit) - unit.start, bool)
        moments = [moment for span in unit.speech for moment in span]
        assert moments == sorted(set(moments))
        for start, end in unit.speech:
            assert 0 <= start < end <= len(told)
            told[start:end] = True
        assert (told == spoken[unit.start : end_of(unit)]).all()


@given(RUNS)
def test_all_speech_but_clicks_is_in_a_unit(runs: list[Run]) -> None:
    frames = frames_of(runs)
    taken = np.zeros(len(frames) + 1, bool)
    for unit in speech_units(frames):
        taken[unit.start // FRAME_SAMPLES : -(-end_of(unit) // FRAME_SAMPLES)] = True

    for start, end in _spoken(frames):
        assert end - start < MIN_SPEECH or taken[start:end].all()


@given(RUNS)
def test_units_are_long_unless_silence_follows(runs: list[Run]) -> None:
    units = list(speech_units(frames_of(runs)))

    for unit, after in pairwise(units):
        gap = after.start - end_of(unit)
        assert (
            end_of(unit) - unit.start >= MIN_UNIT * FRAME_SAMPLES
            or gap >= (BREAK - 2 * PADDING) * FRAME_SAMPLES
        )


def _spoken(frames: list[Frame]) -> Iterator[tuple[int, int]]:
    """Yield the runs of speech: first frame, and frame behind the last."""
    start = None
    for position, frame in enumerate([*frames, Frame(b"", 0.0)]):
        if frame.probability > 0 and start is None:
            start = position
        elif frame.probability == 0 and start is not None:
            yield start, position
            start = None


def test_seventy_seconds_without_a_pause_are_cut_where_they_are_quietest() -> None:
    frames = frames_of([seconds(70, speech=True)])
    quiet = USUAL_UNIT - 20
    frames[quiet] = Frame(bytes(FRAME_SAMPLES * BYTES_PER_SAMPLE), 1.0)

    units = list(speech_units(frames))

    assert len(units) == 3
    assert end_of(units[0]) == units[1].start == quiet * FRAME_SAMPLES
    assert b"".join(unit.samples for unit in units) == sound_of(frames)


def test_the_last_word_of_a_monologue_that_ends_at_a_cut_is_no_click() -> None:
    for behind in range(1, MIN_SPEECH + 1):
        frames = frames_of([Run(is_speech=True, frames=USUAL_UNIT + behind), seconds(20, speech=False)])
        frames[USUAL_UNIT - 1] = Frame(bytes(FRAME_SAMPLES * BYTES_PER_SAMPLE), 1.0)

        spoken = sum(unit.speech_seconds for unit in speech_units(frames))

        assert spoken == (USUAL_UNIT + behind) * FRAME_SAMPLES / SAMPLE_RATE


def test_a_unit_is_cut_in_its_longest_pause() -> None:
    talk = [seconds(14, speech=True), seconds(0.4, speech=False), seconds(6, speech=True)]
    frames = frames_of([*talk, seconds(1.0, speech=False), seconds(20, speech=True)])

    first, second = speech_units(frames)

    assert 20.4 < first.seconds < 21.4
    assert second.speech_seconds == pytest.approx(20, abs=0.05)


def test_a_click_is_no_unit() -> None:
    silence = seconds(10, speech=False)
    clicks = [
        silence,
        Run(is_speech=True, frames=MIN_SPEECH - 1),
        silence,
        Run(is_speech=True, frames=1),
        silence,
    ]

    assert list(speech_units(frames_of(clicks))) == []


def test_a_fifth_of_a_second_of_speech_is_a_unit_with_some_sound_around_it() -> None:
    silence = seconds(10, speech=False)
    (unit,) = speech_units(frames_of([silence, seconds(0.2, speech=True), silence]))

    assert unit.speech_seconds == pytest.approx(0.2, abs=0.02)
    ((start, end),) = unit.speech
    assert 0.1 < start / SAMPLE_RATE < 0.5
    assert 0.1 < unit.seconds - end / SAMPLE_RATE < 0.5


def test_words_at_both_ends_of_a_recording_are_taken() -> None:
    word = seconds(0.3, speech=True)
    frames = frames_of([word, seconds(60, speech=False), word], last_samples=100)

    first, last = speech_units(frames)

    assert first.start == 0
    assert end_of(last) * BYTES_PER_SAMPLE == len(sound_of(frames))
    assert last.speech[-1][1] == end_of(last) - last.start


def test_a_long_unit_ends_in_a_shorter_pause_than_a_short_one() -> None:
    pause = Run(is_speech=False, frames=ENDING_PAUSE + 10)
    word = seconds(3, speech=True)

    assert len(list(speech_units(frames_of([word, pause, word])))) == 1
    assert len(list(speech_units(frames_of([seconds(20, speech=True), pause, word])))) == 2


def test_speech_goes_on_while_it_is_not_far_below_the_threshold() -> None:
    frames = frames_of([seconds(3, speech=True)])
    slightly_below = [frame._replace(probability=SPEECH_THRESHOLD - 0.05) for frame in frames]

    (unit,) = speech_units([*frames, *slightly_below])
    assert unit.speech_seconds == pytest.approx(6, abs=0.1)
    assert list(speech_units(slightly_below)) == []
    assert len(list(speech_units(slightly_below, threshold=SPEECH_THRESHOLD - 0.1))) == 1


def test_long_silence_costs_no_memory() -> None:
    def silence() -> Iterator[Frame]:
        for _ in range(20_000):  # ten minutes
            yield Frame(bytes(FRAME_SAMPLES * BYTES_PER_SAMPLE), 0.0)

    tracemalloc.start()
    try:
        units = list(speech_units(silence()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert units == []
    assert peak < 200_000
