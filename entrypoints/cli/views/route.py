"""Views of the route's drift and findings: lines of text, and JSON; texts from AWS are escaped."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from domain.model.events.kinds import EventKind
from domain.model.route.route import Drift, Finding
from entrypoints.cli.views.output import EXIT_FAILED, printable

if TYPE_CHECKING:
    from rich.console import Console


class FailedKind(NamedTuple):
    """Kind of events at which a command failed after it had acted on others."""

    kind: EventKind
    problem: str
    not_tried: Sequence[EventKind]  # the kinds after it


def print_differences(out: "Console", differences: Iterable[Drift], *, word: str = "differs") -> None:
    """Print three lines for each difference."""
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


def findings_as_json(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Convert each finding to the keys `link`, `problem`, `evidence`, `remedy` and `proven`."""
    return [_as_json(finding) for finding in findings]


def print_findings(out: "Console", findings: Iterable[Finding]) -> None:
    """Print one paragraph for each finding."""
    for finding in findings:
        out.print("[red]BROKEN[/red]" if finding.proven else "[yellow]UNSURE[/yellow]", end=" ")
        out.print(f"{finding.component}: {printable(finding.problem)}", markup=False)
        out.print(f"  seen: {printable(finding.evidence)}", markup=False)
        out.print(f"  do:   {printable(finding.remedy)}", markup=False)


def _as_json(finding: Finding) -> dict[str, object]:
    fields = finding._asdict()
    return {"link": fields.pop("component").value, **fields}


def print_kind(out: "Console", kind: EventKind, kinds: Sequence[EventKind]) -> None:
    """Print the kind of event whose route follows, unless only completed events are looked at."""
    if tuple(kinds) != (EventKind.COMPLETED,):
        out.print(f"{kind.detail_type}:", markup=False)


def failed_as_json(failed: FailedKind | None) -> dict[EventKind, dict[str, object]]:
    """Convert the failure to the JSON of its route, for `joined`; nothing where there is no failure."""
    return {failed.kind: {"ok": False, "problem": failed.problem, "resources": []}} if failed else {}


def exit_where_failed(failed: FailedKind | None) -> None:
    """Print the failure on stderr, and end the command with an error code."""
    if failed:
        click.echo(f"Error: {failed.kind.detail_type}: {printable(failed.problem)}", err=True)
        if failed.not_tried:
            rest = ", ".join(kind.detail_type for kind in failed.not_tried)
            click.echo(f"Not tried: {rest}", err=True)
        raise SystemExit(EXIT_FAILED)


def joined(documents: Mapping[EventKind, Mapping[str, object]]) -> dict[str, object]:
    """Join the JSON of several routes: that of completed events, with the others under their kinds.

    `ok` is true where all routes are sound.
    """
    others = {kind.value: found for kind, found in documents.items() if kind is not EventKind.COMPLETED}
    ok = all(found["ok"] for found in documents.values())
    return {**documents.get(EventKind.COMPLETED, {}), "ok": ok, **others}
