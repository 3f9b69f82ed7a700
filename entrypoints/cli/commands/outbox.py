"""`transcripts outbox`: lists, retries and prunes waiting, rejected and published events."""

from datetime import UTC, datetime
from uuid import UUID

import click

from domain.model.errors import TranscriptionServiceError
from domain.model.outbox import OutboxRecord, OutboxState
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import examples, limit_option
from entrypoints.cli.views.outbox import as_line, as_lines, counts_as_line, record_as_json
from entrypoints.cli.views.output import confirm, print_json
from ports.outbox_port import OutboxPort

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
MAX_DAYS = 36_500


@click.group("outbox")
def command() -> None:
    """Inspect the outbox, and retry or prune its events."""


@command.command("list", epilog=examples("outbox list --state rejected"))
@click.option(
    "--state",
    type=click.Choice(OutboxState, case_sensitive=False),
    help="Only events in this state. [default: all]",
)
@limit_option("events")
@AS_JSON
def list_events(state: OutboxState | None, limit: int, *, as_json: bool) -> None:
    """List events without their transcripts, those added last first."""
    outbox, now = _outbox(), datetime.now(UTC)
    counts, records = outbox.counts(), outbox.records(state, limit=limit)
    if as_json:
        events = [record_as_json(record) for record in records]
        print_json({"counts": counts._asdict(), "events": events})
        return
    for record in records:
        click.echo(as_line(record, now))
    click.echo(counts_as_line(counts))


@command.command("show", short_help="Show one event, without its transcripts.")
@click.argument("interaction_id", type=click.UUID)
@click.option("--with-text", is_flag=True, help="Show the transcripts, unless they are purged.")
@AS_JSON
def show(interaction_id: UUID, *, with_text: bool, as_json: bool) -> None:
    """Show one event, and the lengths of its transcripts or, with --with-text, their text."""
    record = _found(_outbox(), interaction_id)
    if as_json:
        print_json(record_as_json(record, with_text=with_text))
        return
    for line in as_lines(record, with_text=with_text):
        click.echo(line)


@command.command(
    "retry", short_help="Make events due at once.", epilog=examples("outbox retry --all-rejected")
)
@click.argument("interaction_ids", nargs=-1, type=click.UUID)
@click.option("--all-rejected", is_flag=True, help="Retry all rejected events instead of named ones.")
@AS_JSON
def retry(interaction_ids: tuple[UUID, ...], *, all_rejected: bool, as_json: bool) -> None:
    """Make events due at once: rejected ones wait again, and waiting ones wait no longer.

    Published events are left unchanged.
    """
    if bool(interaction_ids) == all_rejected:
        raise click.UsageError("Give the ids of events or --all-rejected.")
    outbox = _outbox()
    for interaction_id in interaction_ids:
        _found(outbox, interaction_id)
    _print_count("due now", outbox.retry(None if all_rejected else interaction_ids), as_json=as_json)


@command.command(
    "prune",
    short_help="Delete events that were published long ago.",
    epilog=examples("outbox prune --older-than 30 --yes"),
)
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(0, MAX_DAYS),
    metavar="DAYS",
    required=True,
    help="Delete events published or rejected at least DAYS days ago.",
)
@click.option("--rejected", is_flag=True, help="Delete rejected events as well: their transcripts are lost.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@AS_JSON
def prune(days: int, *, rejected: bool, yes: bool, as_json: bool) -> None:
    """Delete events that were published long enough ago; waiting events are never deleted."""
    outbox = _outbox()
    if not yes:
        confirm("Delete these events for good?", as_json=as_json)
    _print_count("deleted", outbox.prune(older_than_days=days, rejected=rejected), as_json=as_json)


def _outbox() -> OutboxPort:
    from bootstrap.runtime.outbox import existing_outbox  # noqa: PLC0415 - slow to import

    return existing_outbox(build_container(configure()))


def _found(outbox: OutboxPort, interaction_id: UUID) -> OutboxRecord:
    record = outbox.find(interaction_id)
    if record is None:
        raise TranscriptionServiceError(f"The outbox has no event {interaction_id}.")
    return record


def _print_count(result: str, count: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"events": count})
    else:
        click.echo(f"{count} {result}")
