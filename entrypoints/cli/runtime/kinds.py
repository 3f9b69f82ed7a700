"""Options of commands by which an operator chooses kinds of events."""

from collections.abc import Callable

import click
from click.decorators import FC

from domain.model.events.kinds import EventKind, parse_kinds


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
