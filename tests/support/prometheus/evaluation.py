"""Evaluation of expressions and of alerts over two scrapes, which stand for both ends of every window."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.prometheus.expressions import (
    AGGREGATIONS,
    ARITHMETIC,
    COMPARISONS,
    Aggregation,
    Binary,
    Call,
    Node,
    Number,
    Selector,
    parse,
)
from tests.support.prometheus.scrapes import TARGET, Labels, Sample, Scrape, Vector


@dataclass(frozen=True)
class History:
    """Two scrapes."""

    first: Scrape
    last: Scrape

    def evaluate(self, node: Node) -> Vector | float:
        """Return a number, or the values by their labels."""
        match node:
            case Number(value):
                return value
            case Selector():
                return self._latest(node)
            case Call(function, arguments):
                return self._called(function, arguments)
            case Aggregation(function, by, of):
                return _aggregated(function, by, self._vector(of))
            case Binary(sign, left, right):
                return _combined(sign, self.evaluate(left), self.evaluate(right))

    def _vector(self, node: Node) -> Vector:
        value = self.evaluate(node)
        assert isinstance(value, dict), f"{node} is a number"
        return value

    def _latest(self, selector: Selector) -> Vector:
        return _selected(self.last, selector)

    def _called(self, function: str, arguments: tuple[Node, ...]) -> Vector:
        (argument,) = arguments
        assert isinstance(argument, Selector), f"{function} of {argument}"
        if function == "absent":
            return {} if self._latest(argument) else {frozenset(): 1.0}
        assert function in {"rate", "increase"}, f"{function} is not known here"
        assert argument.has_window, f"{function} needs a window"
        seconds = self.last.at - self.first.at if function == "rate" else 1.0
        before = _selected(self.first, argument)
        # a series that was not there before has no increase, in Prometheus as well
        return {
            labels: max(0.0, value - before[labels]) / seconds
            for labels, value in self._latest(argument).items()
            if labels in before
        }


def _selected(scrape: Scrape, selector: Selector) -> Vector:
    return {frozenset(each.labels.items()): each.value for each in scrape.samples if selector.selects(each)}


def _aggregated(function: str, by: tuple[str, ...], vector: Vector) -> Vector:
    groups = defaultdict[Labels, list[float]](list)
    for labels, value in vector.items():
        groups[frozenset(pair for pair in labels if pair[0] in by)].append(value)
    return {labels: AGGREGATIONS[function](values) for labels, values in groups.items()}


def _combined(sign: str, left: Vector | float, right: Vector | float) -> Vector | float:
    if sign in {"and", "or"}:
        assert isinstance(left, dict)
        assert isinstance(right, dict)
        return {key: left[key] for key in left if key in right} if sign == "and" else {**right, **left}
    if sign in COMPARISONS:
        return _compared(COMPARISONS[sign], left, right)
    if isinstance(left, float) and isinstance(right, float):
        return ARITHMETIC[sign](left, right)
    return {key: ARITHMETIC[sign](*pair) for key, pair in _pairs(left, right).items()}


def _compared(holds: Callable[[float, float], bool], left: Vector | float, right: Vector | float) -> Vector:
    return {key: pair[0] for key, pair in _pairs(left, right).items() if holds(*pair)}


def _pairs(left: Vector | float, right: Vector | float) -> dict[Labels, tuple[float, float]]:
    """Pair the values with equal labels, or each value with the number."""
    match left, right:
        case dict(), dict():
            return {key: (left[key], right[key]) for key in left if key in right}
        case dict(), float():
            return {key: (value, right) for key, value in left.items()}
        case float(), dict():
            return {key: (left, value) for key, value in right.items()}
    raise AssertionError("two numbers are not compared here")


@dataclass(frozen=True)
class Rules:
    """Rules of an alert file, in its order."""

    records: dict[str, Node]
    alerts: dict[str, Node]
    documents: dict[str, Any]  # alert → the rule as written

    @classmethod
    def read(cls, path: Path) -> "Rules":
        """Read and parse a file."""
        groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return cls(
            {rule["record"]: parse(rule["expr"]) for rule in rules if "record" in rule},
            {rule["alert"]: parse(rule["expr"]) for rule in rules if "alert" in rule},
            {rule["alert"]: rule for rule in rules if "alert" in rule},
        )

    def firing(self, history: History) -> set[str]:
        """Return the alerts whose expression holds, however long they would be pending."""
        last = Scrape(history.last.at, list(history.last.samples))
        history = History(history.first, last)
        for name, node in self.records.items():
            value = history.evaluate(node)
            assert isinstance(value, dict)
            last.samples += [Sample(name, dict(labels), each) for labels, each in value.items()]
        return {name for name, node in self.alerts.items() if history.evaluate(node)}


SCRAPE_LABELS = frozenset(TARGET)
