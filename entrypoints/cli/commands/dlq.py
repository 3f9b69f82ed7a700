"""`transcripts dlq`: inspect, archive, restore, redrive and delete dead letters."""

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click

from domain.model.errors import TranscriptionServiceError
from domain.model.events.kinds import EventKind
from domain.model.messages.dead_letter import Selection
from domain.services.dead_letters.dead_letters import stored
from entrypoints.cli.runtime.account import announce_account
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.failures import FAILURE_AS_JSON, CommandInterruptedError
from entrypoints.cli.runtime.kinds import kind_option
from entrypoints.cli.runtime.parameters import AWS_TIMEOUT, PathTo, PatternType, examples
from entrypoints.cli.runtime.whole_file import whole_file
from entrypoints.cli.views.dead_letters import (
    as_line,
    as_lines,
    letter_as_json,
    list_summary,
    print_redrive_result,
    print_result,
    redrive_progress,
)
from entrypoints.cli.views.output import print_json, printable
from ports.dead_letter_archive_port import DeadLetterArchivePort

if TYPE_CHECKING:
    from bootstrap.container import Container
    from bootstrap.factories.route import RouteContainer

KIND = kind_option("Kind of events, whose dead-letter queue is meant.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
TENANT = click.option(
    "--tenant", type=click.UUID, help="Only messages with this detail.tenant_id. [default: all]"
)
LETTER_ID = PatternType("id", "(?s).+", "id")
ID = click.option(
    "--id",
    "wanted",
    type=LETTER_ID,
    metavar="ID",
    help="Only the message with this id, or whose event has this interaction_id.",
)
MAX_LIMIT = 120_000
"""Messages of one queue that SQS allows in flight."""

SAME_AGAIN = "Nothing is lost: run the same command again to do the rest."
FROM_THE_FIRST = (
    "Nothing is lost. Up to ten more may have been sent. The same command starts again with the first one: "
    "consumers recognise duplicates by interaction_id."
)


@click.group("dlq")
def command() -> None:
    """Inspect the dead-letter queue, or empty it in one of four ways.

    Messages are hidden from other readers until the command ends; each read counts as a receive.
    """


@command.command("list")
@TENANT
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    metavar="N",
    default=1000,
    show_default=True,
    help="Maximum number of messages to show.",
)
@KIND
@AWS_TIMEOUT
@AS_JSON
def list_letters(tenant: UUID | None, limit: int, kind: EventKind, timeout: float, *, as_json: bool) -> None:
    """List dead letters and the reason for each. Transcripts are not shown."""
    letters, now = _route(timeout, kind, as_json=as_json).dead_letter_service(), datetime.now(UTC)
    depth = letters.depth()
    with closing(letters.each(Selection(tenant_id=tenant, limit=limit))) as found:
        if as_json:
            rows = [letter_as_json(letter) for _, letter in found]
            print_json({"counts": depth._asdict(), "dead_letters": rows})
            return
        count = 0
        for count, (_, letter) in enumerate(found, 1):  # noqa: B007 - used after the loop
            click.echo(as_line(letter, now))
    click.echo(list_summary(count, depth, limit))


@command.command("show", short_help="Show one dead letter and its reason.")
@click.argument("wanted", metavar="ID", type=LETTER_ID)
@click.option("--with-body", is_flag=True, help="Show the whole message, transcripts included.")
@KIND
@AWS_TIMEOUT
@AS_JSON
def show(wanted: str, kind: EventKind, timeout: float, *, with_body: bool, as_json: bool) -> None:
    """Show one dead letter, by the message's id or the event's interaction_id."""
    letters = _route(timeout, kind, as_json=as_json).dead_letter_service()
    with closing(letters.each(Selection(id=wanted))) as found:
        one = next(found, None)
    if one is None:
        raise _no_such(wanted)
    if as_json:
        body = {"message": stored(one.message).model_dump(mode="json")} if with_body else {}
        print_json({**letter_as_json(one.letter), **body})
        return
    for line in as_lines(one.letter, datetime.now(UTC)):
        click.echo(line)
    if with_body:
        click.echo(printable(one.message.body))


@command.command(
    "export", short_help="Write whole messages as JSON Lines.", epilog=examples("dlq export -o letters.jsonl")
)
@TENANT
@click.option(
    "-o",
    "--output",
    type=PathTo(dir_okay=False, allow_dash=True),
    default="-",
    help="File to write; it is created only once it is complete. [default: stdout]",
)
@KIND
@AWS_TIMEOUT
@FAILURE_AS_JSON
def export(tenant: UUID | None, output: str, kind: EventKind, timeout: float) -> None:
    """Write whole messages, with transcripts and attributes, as JSON Lines; the queue keeps them."""
    letters = _route(timeout, kind, as_json=False).dead_letter_service()
    try:
        with (
            closing(letters.each(Selection(tenant_id=tenant))) as found,
            whole_file(output) as lines,
        ):
            for message, _ in found:
                lines.write(stored(message).to_json() + "\n")
    except OSError as error:
        raise click.FileError(output, error.strerror or "") from error
    except KeyboardInterrupt:
        result = "the output is incomplete" if output == "-" else f"{printable(output)} was not written"
        raise CommandInterruptedError(
            f"It was interrupted: {result}. The queue keeps all messages."
        ) from None


@command.command(
    "archive",
    short_help="Move dead letters to a folder or to S3.",
    epilog=examples("dlq archive letters", "dlq archive s3://my-bucket/dead-letters --keep"),
)
@click.argument("place", metavar="FOLDER|s3://BUCKET/PREFIX")
@ID
@TENANT
@click.option("--keep", is_flag=True, help="Leave them in the dead-letter queue as well.")
@KIND
@AWS_TIMEOUT
@AS_JSON
def archive(
    place: str,
    wanted: str | None,
    tenant: UUID | None,
    kind: EventKind,
    timeout: float,
    *,
    keep: bool,
    as_json: bool,
) -> None:
    """Move dead letters to a folder or to S3, beyond the retention of the queue.

    Each is written and read back before it is deleted from the queue. `restore` sends them again.
    """
    container = _container(timeout, as_json=as_json)
    selection = Selection(id=wanted, tenant_id=tenant)
    report = (
        container.routes()[kind]
        .dead_letter_service()
        .archive(selection, _archive(container, place), keep=keep)
    )
    if wanted and not report.done and not report.problem:
        raise _no_such(wanted)
    print_result(report, "archived", SAME_AGAIN, as_json=as_json)


@command.command(
    "restore",
    short_help="Send archived messages to the queue again.",
    epilog=examples("dlq restore s3://my-bucket/dead-letters"),
)
@click.argument("place", metavar="FOLDER|s3://BUCKET/PREFIX")
@KIND
@AWS_TIMEOUT
@AS_JSON
def restore(place: str, kind: EventKind, timeout: float, *, as_json: bool) -> None:
    """Send archived messages to the queue again; the archive is not changed.

    A second run sends every message twice: consumers recognise duplicates by interaction_id.
    """
    container = _container(timeout, as_json=as_json)
    report = container.routes()[kind].dead_letter_service().restore(_archive(container, place))
    print_result(report, "sent to the queue", FROM_THE_FIRST, as_json=as_json)


@command.command(
    "redrive",
    short_help="Move dead letters back to the queue.",
    epilog=examples(
        "dlq redrive --all --max 1",
        "dlq redrive --tenant 3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11",
        "dlq redrive --id 5f3b4a36-8a0f-4a43-bc7d-0c8a5d0c1e2f",
    ),
)
@ID
@TENANT
@click.option("--all", "everything", is_flag=True, help="Every dead letter.")
@click.option(
    "--max",
    "limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Maximum number of messages to move. [default: all selected]",
)
@KIND
@AWS_TIMEOUT
@AS_JSON
def redrive(
    wanted: str | None,
    tenant: UUID | None,
    limit: int | None,
    kind: EventKind,
    timeout: float,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    """Move dead letters back to the queue, once their cause is corrected.

    An interruption loses no message; at worst one is in both queues. Messages that are dead-lettered again
    during the run are left alone.
    """
    if sum((wanted is not None, tenant is not None, everything)) != 1:
        raise click.UsageError("Give one of --id, --tenant and --all.")
    selection = Selection(id=wanted, tenant_id=tenant, limit=limit)
    service = _route(timeout, kind, as_json=as_json).redrive()
    with redrive_progress() as report:
        outcome = service.run(selection, report)
    if wanted and not (outcome.moved or outcome.erased) and outcome.ok:
        raise _no_such(wanted)
    print_redrive_result(outcome, SAME_AGAIN, as_json=as_json)


@command.command("purge", short_help="Delete every dead letter permanently.")
@click.option("--yes", is_flag=True, help="Confirm; without it nothing is deleted.")
@KIND
@AWS_TIMEOUT
@AS_JSON
def purge(kind: EventKind, timeout: float, *, yes: bool, as_json: bool) -> None:
    """Delete every dead letter permanently, and print their number."""
    letters = _route(timeout, kind, as_json=as_json).dead_letter_service()
    if not yes:
        raise click.UsageError(
            f"About {letters.depth().waiting} dead letters would be deleted permanently. `transcripts dlq "
            "archive FOLDER` moves them to a folder. To delete them, add --yes."
        )
    print_result(letters.purge(), "deleted", SAME_AGAIN, as_json=as_json)


def _route(timeout: float, kind: EventKind, *, as_json: bool) -> "RouteContainer":
    route: RouteContainer = _container(timeout, as_json=as_json).routes()[kind]
    return route


def _container(timeout: float, *, as_json: bool) -> "Container":
    container = build_container(configure(), aws_timeout=timeout)
    announce_account(container, as_json=as_json)
    return container


def _archive(container: "Container", place: str) -> DeadLetterArchivePort:
    from bootstrap.operator.archives import archive_at  # noqa: PLC0415 - slow to import

    return archive_at(place, container.aws_access())


def _no_such(wanted: str) -> TranscriptionServiceError:
    return TranscriptionServiceError(
        f"The dead-letter queue has no message {printable(wanted)}, or another reader has received it."
    )
