"""`transcripts doctor`: checks the environment of the service."""

from typing import TYPE_CHECKING

import click

from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.views.output import EXIT_FAILED, console, print_json, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.operator.doctor import Check

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "red"}
"""Styles of the verdicts."""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def command(*, as_json: bool) -> None:
    """Check versions, database, outbox, free space, credentials, the route of the events and the bucket.

    Changes nothing and sends no event. Exits with 1 where a check is wrong; warnings alone are no failure.
    """
    from bootstrap.operator.doctor import CheckResult, examine  # noqa: PLC0415 - slow to import

    checks = examine(build_container(configure()))
    ok = all(check.verdict is not CheckResult.WRONG for check in checks)
    if as_json:
        print_json({"ok": ok, "checks": [check._asdict() for check in checks]})
    else:
        show(checks)
    if not ok:
        raise SystemExit(EXIT_FAILED)


def show(checks: "Sequence[Check]") -> None:
    """Print a line for each check, and its remedy where there is one."""
    out = console()
    for check in checks:
        out.print(f"{check.verdict.upper():<8}", style=_STYLES[check.verdict], end="")
        out.print(f"{check.name:<18} {printable(check.found)}", markup=False)
        if check.remedy:
            out.print(f"{'':<8}do: {printable(check.remedy)}", markup=False)
