"""`transcripts dlq`: the messages that no consumer could handle, and what to do about them."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from uuid import UUID

import click

from domain.model.errors import TranscriptionServiceError
from domain.model.messages.dead_letter import Selection
from domain.services.dead_letters.dead_letters import BatchReport, stored
from domain.services.dead_letters.redrive import RedriveReport
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.failures import FAILURE_AS_JSON, CommandInterruptedError
from entrypoints.cli.runtime.parameters import PathTo, PatternType, examples
from entrypoints.cli.views.dead_letters import (
    as_line,
    as_lines,
    letter_as_json,
    redriven_as_json,
    redriven_lines,
    report_as_json,
    report_lines,
)
from entrypoints.cli.views.output import EXIT_FAILED, EXIT_INTERRUPTED, print_json, printable
from ports.dead_letter_archive_port import DeadLetterArchivePort
from ports.queue_port import QueueDepth

if TYPE_CHECKING:
    from bootstrap.container import Container

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
TENANT = click.option(
    "--tenant", type=click.UUID, help="Only those whose detail.tenant_id is this. [default: all]"
)
LETTER_ID = PatternType("id", "(?s).+", "id")
ID = click.option(
    "--id",
    "wanted",
    type=LETTER_ID,
    metavar="ID",
    help="One alone: the message's id, or the event's interaction_id.",
)
MAX_LIMIT = 120_000
"""Messages of one queue that SQS lets be in flight."""

SAME_AGAIN = "Nothing is lost: the same command does the rest."
FROM_THE_FIRST = (
    "Nothing is lost. Up to ten more may have been sent. The same command begins with the first one again: "
    "consumers tell what they had by interaction_id."
)


@click.group("dlq")
def command() -> None:
    """Look into the dead-letter queue, and empty it in one of four ways.

    Looking hides messages while it lasts, and releases them at its end; each look counts as a receive.
    """


@command.command("list")
@TENANT
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    metavar="N",
    default=1000,
    show_default=True,
    help="Show so many at most.",
)
@AS_JSON
def list_letters(tenant: UUID | None, limit: int, *, as_json: bool) -> None:
    """List dead letters and why each is there. Transcripts are not shown."""
    letters, now = build_container(configure()).dead_letter_service(), datetime.now(UTC)
    depth = letters.depth()
    with closing(letters.each(Selection(tenant_id=tenant, limit=limit))) as found:
        if as_json:
            told = [letter_as_json(letter) for _, letter in found]
            print_json({"counts": depth._asdict(), "dead_letters": told})
            return
        count = 0
        for count, (_, letter) in enumerate(found, 1):  # noqa: B007 - the last one is the number of them
            click.echo(as_line(letter, now))
    click.echo(_summary(count, depth, limit))


@command.command("show", short_help="Show one dead letter and why it is there.")
@click.argument("wanted", metavar="ID", type=LETTER_ID)
@click.option("--with-body", is_flag=True, help="Show the whole message, transcripts included.")
@AS_JSON
def show(wanted: str, *, with_body: bool, as_json: bool) -> None:
    """Show one dead letter, by the message's id or the event's interaction_id."""
    letters = build_container(configure()).dead_letter_service()
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
    help="A file, which appears whole or not at all. [default: stdout]",
)
@FAILURE_AS_JSON
def export(tenant: UUID | None, output: str) -> None:
    """Write whole messages, transcripts and attributes included, as JSON Lines; the queue keeps them."""
    letters = build_container(configure()).dead_letter_service()
    try:
        with (
            closing(letters.each(Selection(tenant_id=tenant))) as found,
            _whole_file(output) as lines,
        ):
            for message, _ in found:
                lines.write(stored(message).to_json() + "\n")
    except OSError as error:
        raise click.FileError(output, error.strerror or "") from error
    except KeyboardInterrupt:
        what = "what was written is not all" if output == "-" else f"{printable(output)} was not written"
        raise CommandInterruptedError(f"It was interrupted: {what}. The queue keeps all of it.") from None


@command.command(
    "archive",
    short_help="Move dead letters to a folder or to S3.",
    epilog=examples("dlq archive letters", "dlq archive s3://my-bucket/dead-letters --keep"),
)
@click.argument("place", metavar="FOLDER|s3://BUCKET/PREFIX")
@ID
@TENANT
@click.option("--keep", is_flag=True, help="Leave them in the dead-letter queue as well.")
@AS_JSON
def archive(place: str, wanted: str | None, tenant: UUID | None, *, keep: bool, as_json: bool) -> None:
    """Move dead letters to a folder or to S3, for longer than a queue keeps them.

    Each is written and read back before it is deleted from the queue. `restore` puts them back.
    """
    container = build_container(configure())
    kept = _archive(container, place)
    selection = Selection(id=wanted, tenant_id=tenant)
    report = container.dead_letter_service().archive(selection, kept, keep=keep)
    if wanted and not report.done and not report.problem:
        raise _no_such(wanted)
    _finish_report(report, "archived", SAME_AGAIN, as_json=as_json)


@command.command(
    "restore",
    short_help="Send what was archived to the queue again.",
    epilog=examples("dlq restore s3://my-bucket/dead-letters"),
)
@click.argument("place", metavar="FOLDER|s3://BUCKET/PREFIX")
@AS_JSON
def restore(place: str, *, as_json: bool) -> None:
    """Send what was archived to the queue again; the archive stays as it is.

    Doing it twice sends everything twice: consumers tell duplicates by interaction_id.
    """
    container = build_container(configure())
    report = container.dead_letter_service().restore(_archive(container, place))
    _finish_report(report, "sent to the queue", FROM_THE_FIRST, as_json=as_json)


@command.command(
    "redrive",
    short_help="Put dead letters back into the queue.",
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
    help="Move so many at most. [default: all that are meant]",
)
@AS_JSON
def redrive(
    wanted: str | None, tenant: UUID | None, limit: int | None, *, everything: bool, as_json: bool
) -> None:
    """Put dead letters back into the queue, once the cause is mended.

    Nothing is lost when it is interrupted; at worst a message is in both queues. What comes straight back is
    left alone.
    """
    if sum((wanted is not None, tenant is not None, everything)) != 1:
        raise click.UsageError("Give one of --id, --tenant and --all.")
    selection = Selection(id=wanted, tenant_id=tenant, limit=limit)
    service = build_container(configure()).redrive()
    with _progress() as report:
        outcome = service.run(selection, report)
    if wanted and not outcome.moved and outcome.ok:
        raise _no_such(wanted)
    _finish(outcome, redriven_as_json(outcome), redriven_lines(outcome), SAME_AGAIN, as_json=as_json)


@command.command("purge", short_help="Delete every dead letter for good.")
@click.option("--yes", is_flag=True, help="Without it nothing is deleted.")
@AS_JSON
def purge(*, yes: bool, as_json: bool) -> None:
    """Delete every dead letter for good, and say how many there were."""
    letters = build_container(configure()).dead_letter_service()
    if not yes:
        raise click.UsageError(
            f"About {letters.depth().waiting} dead letters would be gone for good. `transcripts dlq archive "
            "FOLDER` takes them out of the queue and keeps them. To delete them, add --yes."
        )
    _finish_report(letters.purge(), "deleted", SAME_AGAIN, as_json=as_json)


def _archive(container: "Container", place: str) -> DeadLetterArchivePort:
    from bootstrap.operator.archives import archive_at  # noqa: PLC0415 - slow to import

    return archive_at(place, container.aws_access())


@contextmanager
def _whole_file(name: str) -> Iterator[TextIO]:
    """A file that appears under its name once it is complete, for its owner alone; stdout for `-`."""
    if name == "-":
        yield sys.stdout
        return
    partial = Path(f"{name}.partial")
    try:
        partial.touch(mode=0o600)
        with partial.open("w", encoding="ascii") as file:
            yield file
        partial.replace(name)
    finally:
        partial.unlink(missing_ok=True)


def _summary(count: int, depth: QueueDepth, limit: int) -> str:
    more = "; there may be more: see --limit" if count == limit else ""
    hidden = f"; about {depth.in_flight} are hidden: somebody else has them" if depth.in_flight else ""
    return f"{count} dead letters{more}{hidden}"


def _no_such(wanted: str) -> TranscriptionServiceError:
    return TranscriptionServiceError(
        f"The dead-letter queue has no message {printable(wanted)}, or somebody else has it now."
    )


@contextmanager
def _progress() -> Iterator[Callable[[int, int | None], None]]:
    """How far a redrive is, in one line of a terminal; nowhere else."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return

    def report(moved: int, total: int | None) -> None:
        of = "" if total is None else f" of about {total}"
        click.echo(f"\r{moved}{of} moved ", nl=False, err=True)

    yield report
    click.echo(err=True)


def _finish_report(report: BatchReport, what: str, go_on: str, *, as_json: bool) -> None:
    _finish(report, report_as_json(report), report_lines(report, what), go_on, as_json=as_json)


def _finish(
    outcome: BatchReport | RedriveReport,
    told: Mapping[str, object],
    lines: Iterable[str],
    go_on: str,
    *,
    as_json: bool,
) -> None:
    """Say what was done and what went wrong, and how to go on after Ctrl-C; the exit code follows."""
    if as_json:
        print_json(told)
    else:
        for line in lines:
            click.echo(line)
        if outcome.problem:
            click.echo(f"Error: {printable(outcome.problem)}", err=True)
    if outcome.interrupted:
        click.echo(go_on, err=True)
        raise SystemExit(EXIT_INTERRUPTED)
    if not outcome.ok:
        raise SystemExit(EXIT_FAILED)
