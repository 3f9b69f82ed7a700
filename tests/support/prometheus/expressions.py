"""PromQL, as far as docs/observability uses it: parsed into a tree, and evaluated over two scrapes."""

import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.support.prometheus.scrapes import Sample

T = TypeVar("T")

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<name>[a-zA-Z_:][\w:]*)|(?P<text>"[^"]*")
        |(?P<window>\[[^\]]+\])|(?P<sign>=~|!~|!=|==|>=|<=|[-+*/(){},=<>]))""",
    re.VERBOSE,
)
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": lambda left, right: left / right if right else math.nan,
}  # fmt: skip
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq, "!=": operator.ne,
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
LEVELS: tuple[tuple[str, ...], ...] = (("or",), ("and",), tuple(COMPARISONS), ("+", "-"), ("*", "/"))
"""Binary operators, those that bind loosest first."""
AGGREGATIONS: dict[str, Callable[[Sequence[float]], float]] = {"sum": math.fsum, "max": max, "min": min}
MATCHES: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "=~": lambda value, wanted: re.fullmatch(wanted, value) is not None,
    "!~": lambda value, wanted: re.fullmatch(wanted, value) is None,
}


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Selector:
    """Series of one metric."""

    name: str
    matchers: tuple[tuple[str, str, str], ...] = ()  # label, sign, text
    has_window: bool = False

    def selects(self, sample: Sample) -> bool:
        return sample.name == self.name and all(
            MATCHES[sign](sample.labels.get(label, ""), text) for label, sign, text in self.matchers
        )


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True)
class Aggregation:
    function: str
    by: tuple[str, ...]
    of: "Node"


@dataclass(frozen=True)
class Binary:
    sign: str
    left: "Node"
    right: "Node"


Node = Number | Selector | Call | Aggregation | Binary


def parse(text: str) -> Node:
    """Parse an expression; an unknown construct raises."""
    parser = _Parser(text)
    node = parser.binary()
    assert parser.next is None, f"{text!r} goes on with {parser.next!r}"
    return node


def selectors(node: Node) -> Iterator[Selector]:
    """Yield the metrics that an expression names."""
    match node:
        case Selector():
            yield node
        case Call(_, arguments):
            for each in arguments:
                yield from selectors(each)
        case Aggregation(_, _, of):
            yield from selectors(of)
        case Binary(_, left, right):
            yield from selectors(left)
            yield from selectors(right)


def groupings(node: Node) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Yield the labels that an expression groups by, with the names of the metrics that must have them."""
    match node:
        case Aggregation(_, by, of):
            yield by, {each.name for each in selectors(of)}
            yield from groupings(of)
        case Call(_, arguments):
            for each in arguments:
                yield from groupings(each)
        case Binary(_, left, right):
            yield from groupings(left)
            yield from groupings(right)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self.next = next(self._tokens, None)

    def take(self, *wanted: str) -> str:
        token = self.next
        assert token is not None
        assert not wanted or token in wanted, f"{token!r} in place of {wanted}"
        self.next = next(self._tokens, None)
        return token

    def binary(self, level: int = 0) -> Node:
        if level == len(LEVELS):
            return self.primary()
        node = self.binary(level + 1)
        while self.next in LEVELS[level]:
            sign = self.take()
            node = Binary(sign, node, self.binary(level + 1))
        return node

    def primary(self) -> Node:
        token = self.take()
        if token == "(":
            node = self.binary()
            self.take(")")
            return node
        if token[0].isdigit():
            return Number(float(token))
        if token in AGGREGATIONS:
            return Aggregation(token, self.labels() if self.next == "by" else (), self.arguments()[0])
        return Call(token, self.arguments()) if self.next == "(" else self.selector(token)

    def labels(self) -> tuple[str, ...]:
        self.take("by")
        self.take("(")
        return tuple(self.until(")", self.take))

    def arguments(self) -> tuple[Node, ...]:
        self.take("(")
        return tuple(self.until(")", self.binary))

    def selector(self, name: str) -> Selector:
        matchers: tuple[tuple[str, str, str], ...] = ()
        if self.next == "{":
            self.take()
            matchers = tuple(self.until("}", self.matcher))
        has_window = self.next is not None and self.next.startswith("[")
        if has_window:
            self.take()
        return Selector(name, matchers, has_window)

    def matcher(self) -> tuple[str, str, str]:
        return self.take(), self.take(*MATCHES), self.take().strip('"')

    def until(self, end: str, item: Callable[[], T]) -> Iterator[T]:
        while self.next != end:
            yield item()
            if self.next == ",":
                self.take()
        self.take(end)


def _tokens(text: str) -> Iterator[str]:
    at, text = 0, text.strip()
    while at < len(text):
        found = TOKEN.match(text, at)
        assert found, f"unknown PromQL: {text[at:]!r}"
        yield found[0].strip()
        at = found.end()
