"""Comparison of contestants within one run: in turn, several rounds, medians with their spread.

Seconds differ from machine to machine and from minute to minute; so contestants are measured side by side,
and compared by their ratio, round by round.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Contestant = Callable[[], float]
"""Runs once, and returns its figure: seconds, events a second, or another quantity."""


class Figures(NamedTuple):
    """Figures of one contestant, one for each round."""

    name: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median."""
        return statistics.median(self.values)

    def shown(self, digits: int = 0) -> str:
        """Format the median, the lowest and the highest figure."""
        low, high = min(self.values), max(self.values)
        return f"{self.median:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def in_turn(contestants: Mapping[str, Contestant], rounds: int) -> list[Figures]:
    """Run each contestant once a round, in changing order, so that a machine that slows down favours none."""
    names = list(contestants)
    reached = {name: list[float]() for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            reached[name].append(contestants[name]())
    return [Figures(name, tuple(values)) for name, values in reached.items()]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value below which this percentage of the figures is."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def growth(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the exponent of growth between the last two sizes: 1 if twice the size takes twice the time."""
    return math.log(seconds[-1] / seconds[-2]) / math.log(sizes[-1] / sizes[-2])


def ratios(ours: Figures, theirs: Figures) -> Figures:
    """Divide ours by theirs, round by round: a disturbance in a round slows both."""
    pairs = zip(ours.values, theirs.values, strict=True)
    return Figures(f"{ours.name} / {theirs.name}", tuple(mine / other for mine, other in pairs))
