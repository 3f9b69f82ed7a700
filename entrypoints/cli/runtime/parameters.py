"""Kinds of parameters that the command line's library lacks, or is too generous with."""

import math
import re
from os import PathLike
from typing import TypeVar

import click

_Path_co = TypeVar("_Path_co", covariant=True)


def examples(*calls: str) -> str:
    """An epilog for a command's help; the mark in front keeps its lines as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  transcripts {call}" for call in calls)


class PathTo(click.Path[_Path_co]):
    """A path. None is empty, which would be the current folder: most likely a variable that is not set."""

    def convert(
        self, value: str | PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> _Path_co:
        """Take what may be a path."""
        if value == "" or "\0" in str(value):
            self.fail(f"{value!r} is no path", param, ctx)
        return super().convert(value, param, ctx)


class FiniteRange(click.FloatRange):
    """A number in a range. What is not a number lies in every range, as far as comparisons go."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Take what is a number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


class PatternType(click.ParamType[str]):
    """A text of a certain form.

    Args:
        name: what help calls it.
        pattern: what all of it has to match.
        meaning: what a text that does not match is not.
    """

    def __init__(self, name: str, pattern: str, meaning: str) -> None:
        self.name = name
        self._pattern = re.compile(pattern)
        self._meaning = meaning

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take it as it is."""
        if self._pattern.fullmatch(value) is None:
            self.fail(f"{value!r} is no {self._meaning}", param, ctx)
        return value
