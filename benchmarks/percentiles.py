"""How benchmarks print how long something took."""

import statistics
from collections.abc import Sequence


def percentile(seconds: Sequence[float], percent: int) -> float:
    """The value below which so many percent are."""
    return statistics.quantiles(seconds, n=100)[percent - 1]


def percentiles(seconds: Sequence[float]) -> str:
    """The p50 and the p99, in milliseconds."""
    return "  ".join(f"p{percent} {percentile(seconds, percent) * 1000:7.2f} ms" for percent in (50, 99))
