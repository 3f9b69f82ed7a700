"""Views of dead letters and of reports about them; text from messages is escaped."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import click

from domain.model.messages.dead_letter import DeadLetter
from domain.model.route.route import RETENTION_SECONDS
from domain.services.dead_letters.dead_letters import BatchReport
from domain.services.dead_letters.redrive import RedriveReport
from entrypoints.cli.views.outbox import age
from entrypoints.cli.views.output import EXIT_FAILED, EXIT_INTERRUPTED, print_json, printable
from ports.queue_port import QueueDepth

NO_ID = "-" * 36


def letter_as_json(letter: DeadLetter) -> dict[str, object]:
    """Convert a dead letter to JSON."""
    reading, delivery_failure = letter.reading, letter.delivery_failure
    return {
        "id": letter.id,
        "tenant_id": str(reading.tenant_id) if reading.tenant_id else None,
        "interaction_id": str(reading.interaction_id) if reading.interaction_id else None,
        "version": reading.version,
        "sent_at": letter.sent_at.isoformat() if letter.sent_at else None,
        "receive_count": letter.receive_count,
        "size": letter.size,
        "undelivered": delivery_failure._asdict() if delivery_failure else None,
        "problems": [problem._asdict() for problem in reading.problems],
    }


def as_line(letter: DeadLetter, now: datetime) -> str:
    """Format a dead letter as one line: id, tenant, age, time left and reasons."""
    seconds = letter.age_seconds(now)
    old = "?" if seconds is None else age(seconds)
    left = "?" if seconds is None else age(RETENTION_SECONDS - seconds)
    return (
        f"{printable(letter.id):<36}  {letter.reading.tenant_id or NO_ID}  {old:>6} old  {left:>6} left  "
        f"{'; '.join(map(printable, _reasons(letter)))}"
    )


def as_lines(letter: DeadLetter, now: datetime) -> Iterator[str]:
    """Format a dead letter with one line for each field."""
    fields = letter_as_json(letter)
    del fields["undelivered"], fields["problems"]
    seconds = letter.age_seconds(now)
    fields["age"] = None if seconds is None else age(seconds)
    for name, value in fields.items():
        yield f"{name:<16} {'-' if value is None else printable(str(value))}"
    for reason in _reasons(letter):
        yield f"{'why':<16} {printable(reason)}"
    for problem in letter.reading.problems:
        yield f"{'breaks contract':<16} {printable(problem.place)} {printable(problem.what)}"
    if not letter.reading.problems:
        yield f"{'contract':<16} kept"


def _reasons(letter: DeadLetter) -> Iterator[str]:
    delivery_failure, problems = letter.delivery_failure, letter.reading.problems
    if delivery_failure:
        tries = "" if delivery_failure.attempts is None else f" after {delivery_failure.attempts} retries"
        limit = f", {delivery_failure.exhausted}" if delivery_failure.exhausted else ""
        message = f": {delivery_failure.message}" if delivery_failure.message else ""
        yield f"never reached the queue{tries}{limit}: {delivery_failure.code}{message}"
    else:
        yield "received once" if letter.receive_count == 1 else f"received {letter.receive_count} times"
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        yield f"breaks the contract at {problems[0].place}: {problems[0].what}{more}"


def list_summary(count: int, depth: QueueDepth, limit: int) -> str:
    """Format the last line of a list of dead letters."""
    more = "; there may be more: see --limit" if count == limit else ""
    hidden = f"; about {depth.in_flight} are in flight at another reader" if depth.in_flight else ""
    return f"{count} dead letters{more}{hidden}"


@contextmanager
def redrive_progress() -> Iterator[Callable[[int, int | None], None]]:
    """Provide a callback that prints a redrive's progress as one line of a terminal, if stderr is one."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return

    def report(moved: int, total: int | None) -> None:
        of = "" if total is None else f" of about {total}"
        click.echo(f"\r{moved}{of} moved ", nl=False, err=True)

    yield report
    click.echo(err=True)


def print_redrive_result(report: RedriveReport, go_on: str, *, as_json: bool) -> None:
    """Print the result of a redrive; exit with an error code where it is incomplete."""
    _print_result(report, _redrive_as_json(report), _redrive_lines(report), go_on, as_json=as_json)


def print_result(report: BatchReport, what: str, go_on: str, *, as_json: bool) -> None:
    """Print the result of archiving, restoring or deleting; exit with an error code where it is incomplete.

    `what` is the participle for its messages, such as "archived"; `go_on` the advice after an interruption.
    """
    _print_result(report, _report_as_json(report), _report_lines(report, what), go_on, as_json=as_json)


def _print_result(
    report: BatchReport | RedriveReport,
    fields: Mapping[str, object],
    lines: Iterable[str],
    go_on: str,
    *,
    as_json: bool,
) -> None:
    if as_json:
        print_json(fields)
    else:
        for line in lines:
            click.echo(line)
        if report.problem:
            click.echo(f"Error: {printable(report.problem)}", err=True)
    if report.interrupted:
        click.echo(go_on, err=True)
        raise SystemExit(EXIT_INTERRUPTED)
    if not report.ok:
        raise SystemExit(EXIT_FAILED)


def _redrive_as_json(report: RedriveReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "moved": report.moved,
        "undeleted": report.undeleted,
        "failed": report.failed,
        "left": report.skipped,
        "erased": report.erased,
        "problem": report.problem or None,
        "interrupted": report.interrupted,
    }


def _redrive_lines(report: RedriveReport) -> Iterator[str]:
    yield f"{report.moved} moved to the queue"
    if report.undeleted:
        yield f"{report.undeleted} of them may be in both queues"
    if report.failed:
        yield f"{report.failed} could not be moved and stay in the dead-letter queue"
    if report.erased:
        yield f"{report.erased} stay there: their transcripts were erased; `dlq purge` deletes dead letters"
    yield from _skipped(report.skipped)


def _report_as_json(report: BatchReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "messages": report.done,
        "undeleted": report.undeleted,
        "failed": report.failed,
        "left": report.skipped,
        "problem": report.problem or None,
        "interrupted": report.interrupted,
    }


def _report_lines(report: BatchReport, what: str) -> Iterator[str]:
    yield f"{report.done} {what}"
    if report.undeleted:
        yield f"{report.undeleted} of them may still be in the dead-letter queue"
    if report.failed:
        yield f"{report.failed} could not be sent; the archive keeps them"
    yield from _skipped(report.skipped)


def _skipped(count: int) -> Iterator[str]:
    if count:
        yield f"{count} arrived after the start, or came straight back, and were left alone"
