"""Values that are kept for a time."""

from adapters.auth.recent import Recent
from tests.support.databases.databases import Clock


def test_a_value_is_there_until_its_time_is_over() -> None:
    clock = Clock()
    recent = Recent[str](10.0, clock)
    recent.keep("a", "first", clock())

    clock.advance(9.0)
    assert recent.get("a") == "first"
    clock.advance(1.0)
    assert recent.get("a") is None
    assert recent.get("b") is None


def test_values_whose_time_is_over_take_no_memory() -> None:
    clock = Clock()
    recent = Recent[str](10.0, clock)
    for number in range(1000):
        recent.keep(str(number), "value", clock())
        clock.advance(1.0)

    assert len(recent) <= 10


def test_a_value_that_is_kept_again_lasts_longer() -> None:
    clock = Clock()
    recent = Recent[str](10.0, clock)
    recent.keep("a", "first", clock())
    clock.advance(9.0)
    recent.keep("a", "second", clock())
    clock.advance(9.0)
    recent.keep("b", "other", clock())

    assert recent.get("a") == "second"
