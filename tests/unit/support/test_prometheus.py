"""The small reader of PromQL gives Prometheus' answers."""

import pytest

from tests.support.prometheus.evaluation import History
from tests.support.prometheus.expressions import parse
from tests.support.prometheus.scrapes import Scrape

BEFORE = """
a_total{kind="x"} 10
a_total{kind="y"} 5
"""
NOW = """
a_total{kind="x"} 40
a_total{kind="y"} 5
a_total{kind="new"} 7
size{disk="1"} 3
size{disk="2"} 8
floor{disk="1"} 4
floor{disk="2"} 4
"""


@pytest.fixture
def history() -> History:
    return History(Scrape.of(BEFORE, 0.0), Scrape.of(NOW, 15.0))


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("size", [3, 8]),
        ('size{disk="1"} > 3', []),
        ("size < floor", [3]),
        ("size < 2 * floor", [3]),
        ("max by (job) (size) > 5", [8]),
        ("sum(size)", [11]),
        ("min(size) + 1", [4]),
        ("rate(a_total[5m])", [2, 0]),
        ('increase(a_total{kind!="y"}[1h])', [30]),
        ('sum(increase(a_total{kind=~"x|y"}[1h])) / sum(increase(a_total[1h]))', [1]),
        ("size > 1 and floor > 3", [3, 8]),
        ('size > 1 and floor{disk="2"} > 3', [8]),
        ("absent(size)", []),
        ("absent(sizes)", [1]),
        ("(size - floor) / (size - size)", [pytest.approx(float("nan"), nan_ok=True)] * 2),
    ],
)
def test_an_expression_has_the_value_that_prometheus_gives_it(
    history: History, expression: str, values: list[float]
) -> None:
    value = history.evaluate(parse(expression))

    assert isinstance(value, dict)
    assert list(value.values()) == values


@pytest.mark.parametrize("expression", ["size[", "size and", "sum by kind (size)", "size size", "size ? 1"])
def test_what_is_not_known_is_an_error(expression: str) -> None:
    with pytest.raises(AssertionError):
        parse(expression)
