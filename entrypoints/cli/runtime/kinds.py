"""Kinds of events that an operator chooses with options, and commands that act on one after the other."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import click
from click.decorators import FC

from domain.model.errors import TranscriptionServiceError
from domain.model.events.kinds import EventKind, parse_kinds
from entrypoints.cli.views.route import FailedKind

Result = TypeVar("Result")


class _Kinds(click.ParamType[tuple[EventKind, ...]]):
    name = "kinds"

    def convert(
        self,
        value: str | tuple[EventKind, ...],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[EventKind, ...]:
        """Read `completed,failed`."""
        try:
            return parse_kinds(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


def kinds_option(meaning: str) -> Callable[[FC], FC]:
    """Build the option `--kinds` with its meaning for the command; None where it is not given."""
    return click.option(
        "--kinds",
        type=_Kinds(),
        metavar="KINDS",
        help=f"{meaning}: completed, failed, erased, or several with commas. [default: EVENT_KINDS]",
    )


def kind_option(meaning: str) -> Callable[[FC], FC]:
    """Build the option `--kind` with its meaning for the command."""
    return click.option(
        "--kind",
        type=click.Choice(EventKind, case_sensitive=False),
        default=EventKind.COMPLETED,
        show_default=EventKind.COMPLETED.value,
        help=meaning,
    )


def in_turn(
    kinds: Sequence[EventKind], act: Callable[[EventKind], Result]
) -> tuple[dict[EventKind, Result], FailedKind | None]:
    """Act on one kind after the other until one fails; return the results, and the failure if there is one.

    Raises:
        TranscriptionServiceError: the first kind failed, so that there is no result.
    """
    results: dict[EventKind, Result] = {}
    for number, kind in enumerate(kinds, 1):
        try:
            results[kind] = act(kind)
        except TranscriptionServiceError as error:
            if not results:
                raise
            return results, FailedKind(kind, str(error), kinds[number:])
    return results, None
