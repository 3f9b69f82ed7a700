import pytest

from domain.services.resilience.backoff import Backoff
from tests.support.doubles.delivery import seeded


@pytest.mark.parametrize(("failures", "bound"), [(0, 1), (1, 2), (5, 32), (6, 60), (1000, 60)])
def test_delays_are_spread_up_to_a_bound_that_doubles_up_to_a_minute(failures: int, bound: float) -> None:
    random = seeded(7)
    delays = [Backoff().delay(failures, random) for _ in range(1000)]

    assert 0 <= min(delays) < bound * 0.05
    assert bound * 0.95 < max(delays) <= bound
    assert bound * 0.45 < sum(delays) / 1000 < bound * 0.55


def test_a_backoff_may_promise_a_part_of_each_delay() -> None:
    random, backoff = seeded(7), Backoff(first_seconds=30, max_seconds=900, growth=4, least=0.5)
    delays = [[backoff.delay(failures, random) for _ in range(1000)] for failures in range(5)]

    for bound, spread in zip((30, 120, 480, 900, 900), delays, strict=True):
        assert bound * 0.5 <= min(spread) < bound * 0.55
        assert bound * 0.95 < max(spread) <= bound
