"""`transcripts doctor`: checks the environment of the service."""

from typing import TYPE_CHECKING

import click

from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import timeout_option
from entrypoints.cli.views.output import EXIT_FAILED, console, print_json, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from bootstrap.operator.examination import Check

DEFAULT_SECONDS = 5.0

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "red", "unknown": "red"}
"""Styles of the verdicts."""


@click.command("doctor")
@timeout_option("Longest time of one check.", default=DEFAULT_SECONDS)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def command(timeout: float, *, as_json: bool) -> None:
    """Check versions, engine, database, outbox, free space, credentials, route and buckets.

    Prints each result at once. Sends no event, and leaves nothing behind: a probe in the bucket of
    RECORDING_STORE is deleted again. Exits with 1 where a check is wrong or could not be made; warnings alone
    are no failure.
    """
    from bootstrap.operator.doctor import examine  # noqa: PLC0415 - slow to import

    checks = examine(build_container(configure(), aws_timeout=timeout), seconds=timeout)
    found = list(checks) if as_json else list(shown(checks))
    ok = not any(check.failed for check in found)
    if as_json:
        print_json({"ok": ok, "checks": [check._asdict() for check in found]})
    if not ok:
        raise SystemExit(EXIT_FAILED)


def shown(checks: "Iterable[Check]") -> "Iterable[Check]":
    """Print a line for each check as it comes, and its remedy where there is one; pass the checks on."""
    out = console()
    for check in checks:
        _show(out, check)
        yield check


def _show(out: "Console", check: "Check") -> None:
    out.print(f"{check.verdict.upper():<8}", style=_STYLES[check.verdict], end="")
    out.print(f"{check.name:<18} {printable(check.found)}", markup=False)
    if check.remedy:
        out.print(f"{'':<8}do: {printable(check.remedy)}", markup=False)
