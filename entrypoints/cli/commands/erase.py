"""`transcripts erase`: erase interactions from every store, and say what expires when."""

import getpass
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click

from domain.model.erasures import ErasureQuery
from domain.model.events.erased import ErasureCause
from domain.services.erasure.erasure import ErasureReport, TranscriptErasure
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import AWS_TIMEOUT, examples
from entrypoints.cli.views.erasure import expiries, plan_as_json, print_plan, print_report, report_as_json
from entrypoints.cli.views.output import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, confirm, print_json

if TYPE_CHECKING:
    from bootstrap.settings import Settings

SOMETHING = "Give --interaction, --tenant or --pending."


@click.command(
    "erase",
    epilog=examples(
        "erase --tenant 7d0f1c52-6f5e-4a31-9d55-0a3c1b6a2f10 --user alice --dry-run",
        "erase --interaction 0b9f3a70-3a3e-4c1e-8a59-2b7f5f0f9c11 --yes",
        "erase --pending",
    ),
)
@click.option("--interaction", type=click.UUID, help="The interaction with this id, or the job.")
@click.option("--tenant", type=click.UUID, help="Interactions of this tenant.")
@click.option("--user", metavar="ID", help="Of the tenant, those of this user alone.")
@click.option(
    "--before", type=click.DateTime(), help="Only interactions that were accepted before this moment, in UTC."
)
@click.option("--pending", is_flag=True, help="Only objects that earlier erasures have left.")
@click.option("--requested-by", metavar="NAME", help="Name in the tombstone. [default: this system's user]")
@click.option("--dry-run", is_flag=True, help="List the interactions, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@AWS_TIMEOUT
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    interaction: UUID | None,
    tenant: UUID | None,
    user: str | None,
    before: datetime | None,
    requested_by: str | None,
    timeout: float,
    *,
    pending: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Erase transcripts, recordings and everything that belongs to them, for good.

    Erases jobs, events in the outbox, idempotency answers, recordings, and every version of their objects in
    S3; a job that has not ended is cancelled first. Each interaction leaves a tombstone without texts. May be
    interrupted and repeated. Exit code 1 if something is left, with the reason.
    """
    _check(interaction, tenant, user, pending=pending)
    query = ErasureQuery(interaction, tenant, user, before and before.replace(tzinfo=UTC))
    settings = configure()
    erasure = _erasure(settings, timeout)
    if dry_run:
        found = list(erasure.find(query)) if not pending else []
        print_json(plan_as_json(found)) if as_json else print_plan(found)
        return EXIT_OK
    if not (yes or pending):
        confirm("Erase these interactions for good?", as_json=as_json)
    report = _run(erasure, query, requested_by or f"operator {_user()}", pending=pending)
    expiring = expiries(settings.archive_days, datetime.now(UTC), by_reference=settings.always_by_reference)
    if as_json:
        print_json(report_as_json(report, expiring))
    else:
        print_report(report, expiring)
    if report.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_OK if report.ok else EXIT_FAILED


def _check(interaction: UUID | None, tenant: UUID | None, user: str | None, *, pending: bool) -> None:
    if not (interaction or tenant or pending):
        raise click.UsageError(SOMETHING)
    if user is not None and tenant is None:
        raise click.UsageError("--user needs --tenant: users of different tenants may have the same id.")
    if user == "":
        raise click.UsageError("--user is empty, perhaps an unset variable.")


def _user() -> str:
    """Return the name of the user of this machine, or the number where it has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the latter from Python 3.13 on
        return str(os.getuid())


def _erasure(settings: "Settings", timeout: float) -> TranscriptErasure:
    from bootstrap.runtime.erasure import existing_erasure  # noqa: PLC0415 - slow to import

    return existing_erasure(build_container(settings, aws_timeout=timeout))


def _run(
    erasure: TranscriptErasure, query: ErasureQuery, requested_by: str, *, pending: bool
) -> ErasureReport:
    if pending:
        return erasure.run_pending(query)
    return erasure.run(query, requested_by=requested_by, cause=ErasureCause.REQUEST)
