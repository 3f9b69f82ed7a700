"""Views of drift: lines of text, and JSON."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from domain.model.route.route import Drift
from entrypoints.cli.views.output import printable

if TYPE_CHECKING:
    from rich.console import Console


def print_differences(out: "Console", differences: Iterable[Drift], *, word: str = "differs") -> None:
    """Print three lines for each difference; its texts come from AWS, so they are escaped."""
    for difference in differences:
        if difference.ours:
            out.print(f"  [yellow]{word}[/yellow] in", end=" ")
        else:
            out.print("  added by others, and left, in", end=" ")
        out.print(printable(difference.attribute), markup=False)
        out.print(f"    wanted: {printable(difference.wanted)}", markup=False)
        out.print(f"    found:  {printable(difference.found)}", markup=False)


def differences_as_json(differences: Iterable[Drift]) -> list[dict[str, object]]:
    """Convert each difference to the keys `attribute`, `wanted`, `found` and `ours`."""
    return [difference._asdict() for difference in differences]
