"""Timeline: gaps in the timestamps count, jitter does not."""

import pytest

from adapters.speech.decoding.timeline import Timeline

FRAME = 0.02


def _played(timeline: Timeline, timestamps: list[float]) -> list[float]:
    """Advance by frames with these timestamps, and return the gaps."""
    gaps = []
    for timestamp in timestamps:
        gaps.append(timeline.gap_before(timestamp))
        timeline.advance(gaps[-1] + FRAME)
    return gaps


def _steady(start: float, count: int) -> list[float]:
    return [start + number * FRAME for number in range(count)]


def test_steady_timestamps_leave_no_gap() -> None:
    timeline = Timeline(0.0)
    assert not any(_played(timeline, _steady(0, 1_000)))
    assert timeline.seconds == pytest.approx(20)


def test_a_gap_counts_once() -> None:
    timeline = Timeline(0.0)
    gaps = _played(timeline, _steady(0, 50) + _steady(21, 50))
    assert [gap for gap in gaps if gap] == [pytest.approx(20)]
    assert timeline.seconds == pytest.approx(22)


def test_sound_that_begins_after_the_pictures_is_late() -> None:
    assert Timeline(0.0).gap_before(5.0) == 5.0


@pytest.mark.parametrize("start", [3_600.0, -0.007])
def test_the_first_timestamp_need_not_be_zero(start: float) -> None:
    assert not any(_played(Timeline(start), _steady(start, 50)))
    assert not any(_played(Timeline(None), _steady(start, 50)))


def test_jitter_is_no_gap() -> None:
    jitter = [0.0, 0.03, -0.03, 0.05, -0.05, 0.08]
    late = [start + jitter[number % 6] for number, start in enumerate(_steady(0, 600))]
    assert not any(_played(Timeline(0.0), late))


def test_lost_packets_count_as_soon_as_their_sum_does() -> None:
    timeline = Timeline(0.0)
    _played(timeline, [start for number, start in enumerate(_steady(0, 10_000)) if number % 10])
    assert timeline.seconds == pytest.approx(200, abs=0.15)


def test_timestamps_that_start_anew_go_on_behind_what_was_heard() -> None:
    timeline = Timeline(0.0)
    assert not any(_played(timeline, _steady(0, 100) + _steady(0, 100) + _steady(0, 100)))
    assert timeline.seconds == pytest.approx(6)


def test_a_frame_without_timestamp_follows_the_one_before() -> None:
    timeline = Timeline(None)
    timeline.advance(2.0)
    assert timeline.gap_before(None) == 0.0
