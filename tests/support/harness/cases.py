"""Matrices of cases: `make test` and `make system` run the typical ones, `make exhaustive` the others."""

from collections.abc import Collection, Iterable

import pytest
from _pytest.mark import ParameterSet

__all__ = ["typical_first"]


def typical_first(cases: Iterable[object], *, typical: Collection[object]) -> list[ParameterSet]:
    """Mark all cases as exhaustive that are not typical; a tuple is a case of several parameters.

    Raises:
        ValueError: a typical case is none of the matrix.
    """
    listed = list(cases)
    if missing := [case for case in typical if case not in listed]:
        raise ValueError(f"not in the matrix: {missing}")
    return [_case(each, () if each in typical else (pytest.mark.exhaustive,)) for each in listed]


def _case(case: object, marks: Collection[pytest.MarkDecorator]) -> ParameterSet:
    values = case if type(case) is tuple else (case,)
    return pytest.param(*values, marks=marks)
