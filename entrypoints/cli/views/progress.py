"""Progress of recordings on stderr: a line with a bar for each on a terminal, plain lines elsewhere."""

import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from entrypoints.cli.views.output import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.table import Table

Clock = Callable[[], float]

PACE_SECONDS = 30.0
"""Latest time from which the pace of the work is measured."""
MIN_PACE_SECONDS = 1.0
"""Shortest time that says anything about the pace."""
REFRESHES_PER_SECOND = 4
MAX_BAR, MIN_BAR = 40, 8
"""Widest and narrowest bar, in characters."""
GAP = 2
MIN_NAME = 12
"""Characters of a name that a narrow terminal shows at least."""


class Pace:
    """Seconds of sound that are transcribed in a second: the real-time factor."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, float]] = deque()

    def note(self, done_seconds: float) -> None:
        """Note how much is done now."""
        now = self._clock()
        self._samples.append((now, done_seconds))
        while len(self._samples) > 2 and now - self._samples[0][0] > PACE_SECONDS:  # noqa: PLR2004 - two make a slope
            self._samples.popleft()

    @property
    def factor(self) -> float | None:
        """Return the real-time factor of the latest time; None until it has shown."""
        if not self._samples:
            return None
        (began, first), (now, done) = self._samples[0], self._samples[-1]
        if now - began < MIN_PACE_SECONDS or done <= first:
            return None
        return (done - first) / (now - began)


class ProgressBar:
    """Progress of one recording."""

    def __init__(self, name: str, bars: "ProgressBars", clock: Clock) -> None:
        self.name = printable(name)
        self.done_seconds = 0.0
        self.total_seconds: float | None = None
        self.note: str | None = None  # shown instead of the figures
        self._last_note: str | None = None
        self._bars = bars
        self._clock = clock
        self._pace = Pace(clock)
        self._estimate: tuple[float, float] | None = None  # seconds left, and when this was said

    def tell(self, note: str) -> None:
        """Say in a word what happens, while there is no progress to show."""
        self.note = note
        if note != self._last_note:
            self._bars.print_plainly(f"{self.name}: {note}")
        self._last_note = note

    def update(
        self, done_seconds: float, total_seconds: float | None, eta_seconds: float | None = None
    ) -> None:
        """Show progress, in seconds of sound, and an estimate; without one, the pace gives it."""
        self.note = None
        self.done_seconds, self.total_seconds = done_seconds, total_seconds
        self._pace.note(done_seconds)
        eta = self._eta() if eta_seconds is None else eta_seconds
        self._estimate = None if eta is None else (eta, self._clock())

    def end(self, outcome: str, sound_seconds: float | None = None, seconds: float | None = None) -> None:
        """Replace the bar by a line with the outcome, the length of the sound, and the time that it took."""
        self._bars.finish(self, f"{outcome}{_speed(sound_seconds, seconds)}")

    def figures(self) -> list[str]:
        """Describe the progress in words, the most important first."""
        if self.note is not None:
            return [self.note]
        total = "?" if self.total_seconds is None else clock(self.total_seconds)
        shown = [f"{clock(self.done_seconds)}/{total}"]
        if self._pace.factor is not None:
            shown.append(f"{self._pace.factor:.1f}x")
        if self._estimate is not None:
            eta, said_at = self._estimate
            shown.append(f"{clock(max(0.0, eta - (self._clock() - said_at)))} left")
        return shown

    def _eta(self) -> float | None:
        if self.total_seconds is None or self._pace.factor is None:
            return None
        return max(0.0, self.total_seconds - self.done_seconds) / self._pace.factor


class ProgressBars:
    """Lines of the recordings that are at work; the line of one that ends stays above them.

    On a pipe, a plain line tells of the start and the end of each.
    """

    def __init__(self, *, console: "Console | None" = None, clock: Clock = time.monotonic) -> None:
        self._console = console or _stderr()
        self._clock = clock
        self._bars: list[ProgressBar] = []
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            from rich.live import Live  # noqa: PLC0415 - slow to import

            self._live = Live(
                console=self._console,
                get_renderable=self._rendered,
                refresh_per_second=REFRESHES_PER_SECOND,
                transient=True,
                redirect_stdout=False,  # which may be a file
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, name: str, note: str = "started") -> ProgressBar:
        """Add a line for a recording."""
        bar = ProgressBar(name, self, self._clock)
        self._bars.append(bar)
        bar.tell(note)
        return bar

    def finish(self, bar: ProgressBar, outcome: str) -> None:
        """Print the outcome in a line that stays, and remove the bar."""
        self._bars.remove(bar)
        self.print_plainly(f"{bar.name}: {outcome}")
        if self._live is not None:
            self._live.console.print(f"{bar.name}: {outcome}", markup=False, highlight=False, soft_wrap=True)

    def print_plainly(self, line: str) -> None:
        """Print a line where there is no terminal, which shows bars instead."""
        if self._live is None:
            click.echo(line, err=True)

    def _rendered(self) -> "RenderableType":
        from rich.console import Group  # noqa: PLC0415 - slow to import

        width, height = self._console.size
        bars = list(self._bars)
        shown = bars[: max(1, height - 2)]
        more = [f"and {len(bars) - len(shown)} more"] if len(bars) > len(shown) else []
        return Group(_table(shown, width - 1), *more)


def _table(bars: list[ProgressBar], width: int) -> "Table":
    """Lay out a row for each: name, bar where there is room for one, and as many figures as fit."""
    from rich.cells import cell_len  # noqa: PLC0415 - slow to import
    from rich.progress_bar import ProgressBar as Bar  # noqa: PLC0415 - same
    from rich.table import Table  # noqa: PLC0415 - same
    from rich.text import Text  # noqa: PLC0415 - same

    longest = max((cell_len(bar.name) for bar in bars), default=0)
    names = min(longest, max(MIN_NAME, width // 3))
    room = width - names - GAP
    figures = [_that_fit(bar.figures(), room) for bar in bars]
    widest = max(map(len, figures), default=0)
    bar_width = min(MAX_BAR, room - widest - GAP)
    table = Table.grid(padding=(0, GAP, 0, 0))
    table.add_column(width=names, no_wrap=True, overflow="ellipsis")
    if bar_width >= MIN_BAR:
        table.add_column(width=bar_width)
    table.add_column(no_wrap=True, overflow="crop")
    for bar, text in zip(bars, figures, strict=True):
        drawn = Bar(bar.total_seconds, bar.done_seconds, bar_width, pulse=bar.total_seconds is None)
        middle = [Text() if bar.note else drawn] if bar_width >= MIN_BAR else []
        table.add_row(Text(bar.name), *middle, Text(text))
    return table


def _that_fit(figures: list[str], room: int) -> str:
    """Join the figures, without the last ones where the line is too short for them."""
    while len(figures) > 1 and len("  ".join(figures)) > room:
        figures = figures[:-1]
    return "  ".join(figures)


def _speed(sound_seconds: float | None, seconds: float | None) -> str:
    if sound_seconds is None:
        return ""
    if not seconds:
        return f", {clock(sound_seconds)} of sound"
    return f", {clock(sound_seconds)} of sound in {clock(seconds)} ({sound_seconds / seconds:.1f}x)"


def clock(seconds: float) -> str:
    """Write a duration as players do: 4:05, or 1:04:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _stderr() -> "Console":
    from rich.console import Console  # noqa: PLC0415 - slow to import

    return Console(stderr=True, highlight=False)
