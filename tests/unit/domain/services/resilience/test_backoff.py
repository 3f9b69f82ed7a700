import pytest

from domain.services.resilience.backoff import full_jitter
from tests.doubles_delivery import seeded


@pytest.mark.parametrize(("failures", "bound"), [(0, 1), (1, 2), (5, 32), (6, 60), (1000, 60)])
def test_delays_are_spread_up_to_a_bound_that_doubles_up_to_a_minute(failures: int, bound: float) -> None:
    random = seeded(7)
    delays = [full_jitter(failures, random) for _ in range(1000)]

    assert 0 <= min(delays) < bound * 0.05
    assert bound * 0.95 < max(delays) <= bound
    assert bound * 0.45 < sum(delays) / 1000 < bound * 0.55
