"""Parameter types that click lacks, or does not validate strictly enough."""

import math
import re
from collections.abc import Callable
from os import PathLike
from typing import TypeVar

import click
from click.decorators import FC

from bootstrap.aws.timeouts import DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS

_Path_co = TypeVar("_Path_co", covariant=True)


def examples(*calls: str) -> str:
    """Build an epilog with examples for a command's help; the mark in front keeps its lines as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  transcripts {call}" for call in calls)


class PathTo(click.Path[_Path_co]):
    """Path that is not empty: an empty one, probably of an unset variable, would mean the current folder."""

    def convert(
        self, value: str | PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> _Path_co:
        """Refuse an empty path, and one with a zero byte."""
        if value == "" or "\0" in str(value):
            self.fail(f"{value!r} is not a path", param, ctx)
        return super().convert(value, param, ctx)


class FiniteRange(click.FloatRange):
    """Number in a range; NaN, which passes every comparison of click's, is refused."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Refuse NaN."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


class PatternType(click.ParamType[str]):
    """Text that matches a pattern as a whole; `meaning` completes the message "is not a valid …"."""

    def __init__(self, name: str, pattern: str, meaning: str) -> None:
        self.name = name
        self._pattern = re.compile(pattern)
        self._meaning = meaning

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a text that does not match."""
        if self._pattern.fullmatch(value) is None:
            self.fail(f"{value!r} is not a valid {self._meaning}", param, ctx)
        return value


def timeout_option(
    meaning: str = "Longest wait for an answer of AWS to one call, in three tries.",
    *,
    default: float = DEFAULT_TIMEOUT_SECONDS,
) -> Callable[[FC], FC]:
    """Build the option `--timeout SECONDS` of commands that call AWS, with its meaning for the command."""
    return click.option(
        "--timeout",
        type=FiniteRange(0, MAX_TIMEOUT_SECONDS, min_open=True),
        metavar="SECONDS",
        default=default,
        show_default=True,
        help=meaning,
    )


AWS_TIMEOUT = timeout_option()


def limit_option(things: str) -> Callable[[FC], FC]:
    """Build the option `--limit N` of commands that list things of the database."""
    return click.option(
        "--limit",
        type=click.IntRange(1, 100_000),
        metavar="N",
        default=100,
        show_default=True,
        help=f"Show at most N {things}.",
    )
