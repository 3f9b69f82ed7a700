"""Bars on a terminal of any width, plain lines on a pipe, and the figures in both."""

import io

import pytest
from rich.console import Console

from entrypoints.cli.views.progress import Pace, ProgressBars, clock


class Time:
    """Clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def a_terminal(width: int = 100, height: int = 24) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None)


def shown(bars: ProgressBars, width: int, height: int = 24) -> list[str]:
    """The lines that a terminal of that width has."""
    terminal = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    bars._console = terminal
    terminal.print(bars._rendered())
    assert isinstance(terminal.file, io.StringIO)
    return [line.rstrip() for line in terminal.file.getvalue().splitlines()]


def with_an_hour_begun(time: Time) -> ProgressBars:
    """Bars with one recording, of which 40 s of an hour are done at ten times its speed."""
    bars = ProgressBars(console=a_terminal(), clock=time)
    bar = bars.begin("meeting.mp3")
    for second in range(5):
        time.now = second
        bar.update(10.0 * second, 3600.0)
    return bars


def test_a_line_has_name_bar_time_factor_and_estimate(time: Time) -> None:
    (line,) = shown(with_an_hour_begun(time), 100)

    assert line.startswith("meeting.mp3  ")
    assert line.endswith("0:40/1:00:00  10.0x  5:56 left")


def test_half_a_recording_is_half_a_bar(time: Time) -> None:
    bars = ProgressBars(console=a_terminal(), clock=time)
    bars.begin("call.wav").update(1800.0, 3600.0)

    assert shown(bars, 200)[0].count("━") in {19, 20}


def test_the_estimate_goes_down_between_reports(time: Time) -> None:
    bars = with_an_hour_begun(time)

    time.now += 56

    assert shown(bars, 100)[0].endswith("5:00 left")


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (60, "meeting.mp3  0:40/1:00:00  10.0x  5:56 left"),
        (40, "meeting.mp3  0:40/1:00:00  10.0x"),
        (30, "meeting.mp3  0:40/1:00:00"),
    ],
)
def test_a_narrow_terminal_has_fewer_figures_and_no_line_breaks(time: Time, width: int, line: str) -> None:
    (found,) = shown(with_an_hour_begun(time), width)

    name, *_, figures = line.partition("  ")
    assert len(found) <= width
    assert found.startswith(name)
    assert found.endswith(figures)


@pytest.mark.parametrize("width", [1, 5, 12, 20, 300])
def test_no_width_is_too_small_or_too_large(time: Time, width: int) -> None:
    assert all(len(line) <= width for line in shown(with_an_hour_begun(time), width))


def test_a_long_name_is_shortened(time: Time) -> None:
    bars = ProgressBars(console=a_terminal(), clock=time)
    bars.begin("a name that would take the whole line of any terminal.mp3")

    (line,) = shown(bars, 60)

    assert line.startswith("a name that would …  ")
    assert line.endswith("started")


def test_an_unknown_length_has_a_question_mark_and_no_estimate(time: Time) -> None:
    bars = ProgressBars(console=a_terminal(), clock=time)
    bar = bars.begin("stream.ogg")
    bar.update(0.0, None)
    time.now = 2.0
    bar.update(30.0, None)

    assert shown(bars, 100)[0].endswith("0:30/?  15.0x")


def test_an_estimate_of_others_counts(time: Time) -> None:
    bars = ProgressBars(console=a_terminal(), clock=time)
    bars.begin("call.wav").update(10.0, 60.0, eta_seconds=125.0)

    assert shown(bars, 100)[0].endswith("0:10/1:00  2:05 left")


def test_more_recordings_than_lines_are_counted(time: Time) -> None:
    bars = ProgressBars(console=a_terminal(), clock=time)
    for number in range(30):
        bars.begin(f"{number}.wav")

    lines = shown(bars, 80, height=10)

    assert len(lines) == 9
    assert lines[-1] == "and 22 more"


def test_a_recording_that_ends_leaves_one_line(time: Time) -> None:
    terminal = a_terminal()
    with ProgressBars(console=terminal, clock=time) as bars:
        bars.begin("call.wav").end("completed", 3600.0, 300.0)

    assert isinstance(terminal.file, io.StringIO)
    assert "call.wav: completed, 1:00:00 of sound in 5:00 (12.0x)\n" in terminal.file.getvalue()


def test_a_pipe_gets_a_line_at_the_start_and_one_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBars() as bars:
        good, bad = bars.begin("good.wav"), bars.begin("\x1b[2Jbad.wav")
        good.update(1.0, 2.0)
        good.update(2.0, 2.0)
        good.end("completed", 2.0, 1.0)
        bad.end("failed")

    assert capsys.readouterr().err.splitlines() == [
        "good.wav: started",
        "\\x1b[2Jbad.wav: started",
        "good.wav: completed, 0:02 of sound in 0:01 (2.0x)",
        "\\x1b[2Jbad.wav: failed",
    ]


def test_a_note_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBars() as bars:
        bar = bars.begin("call.wav", "queued")
        bar.tell("queued")
        bar.tell("processing")
        bar.update(1.0, 10.0)
        bar.tell("processing")

    assert capsys.readouterr().err.splitlines() == ["call.wav: queued", "call.wav: processing"]


def test_the_pace_is_of_the_latest_half_minute(time: Time) -> None:
    pace = Pace(time)
    for second in range(0, 101, 5):
        time.now = second
        pace.note(min(second, 60) * 20.0 + max(0, second - 60) * 2.0)

    assert pace.factor == pytest.approx(2.0)


def test_there_is_no_pace_before_a_second_has_passed(time: Time) -> None:
    pace = Pace(time)
    pace.note(0.0)
    time.now = 0.5
    pace.note(5.0)

    assert pace.factor is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.6, "1:00"), (245, "4:05"), (3845, "1:04:05"), (360_000, "100:00:00")],
)
def test_durations_are_written_as_players_do(seconds: float, text: str) -> None:
    assert clock(seconds) == text
