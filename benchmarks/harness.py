"""Compares contestants within one run: in turn, several rounds, medians with their spread.

Seconds differ from machine to machine and from minute to minute; what is compared is measured side by side,
and said as a ratio, round by round.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Contestant = Callable[[], float]
"""Runs once, and says what it reached: seconds, events a second, whatever is compared."""


class Figures(NamedTuple):
    """What one contestant reached, a figure for each round."""

    name: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def shown(self, digits: int = 0) -> str:
        """The median, and from the lowest to the highest."""
        low, high = min(self.values), max(self.values)
        return f"{self.median:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def in_turn(contestants: Mapping[str, Contestant], rounds: int) -> list[Figures]:
    """Let each run once a round; who begins changes, so that a machine that slows down favours nobody."""
    names = list(contestants)
    reached = {name: list[float]() for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            reached[name].append(contestants[name]())
    return [Figures(name, tuple(values)) for name, values in reached.items()]


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which so many percent are."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def growth(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The exponent between the last two sizes: 1 for what takes twice as long for twice as much."""
    return math.log(seconds[-1] / seconds[-2]) / math.log(sizes[-1] / sizes[-2])


def ratios(ours: Figures, theirs: Figures) -> Figures:
    """Ours by theirs, round by round: what slowed a round down slowed both."""
    pairs = zip(ours.values, theirs.values, strict=True)
    return Figures(f"{ours.name} / {theirs.name}", tuple(mine / other for mine, other in pairs))
