"""How dead letters are told, to people and to machines; what came from a queue is escaped."""

from collections.abc import Iterator
from datetime import datetime

from domain.model.messages.dead_letter import DeadLetter
from domain.model.route.route import RETENTION_SECONDS
from domain.services.dead_letters.dead_letters import BatchReport
from domain.services.dead_letters.redrive import RedriveReport
from entrypoints.cli.views.outbox import age
from entrypoints.cli.views.output import printable

NO_ID = "-" * 36


def letter_as_json(letter: DeadLetter) -> dict[str, object]:
    """What machines get."""
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
    """One dead letter in one line: id, tenant, age, time left, and why it is here."""
    seconds = letter.age_seconds(now)
    old = "?" if seconds is None else age(seconds)
    left = "?" if seconds is None else age(RETENTION_SECONDS - seconds)
    return (
        f"{printable(letter.id):<36}  {letter.reading.tenant_id or NO_ID}  {old:>6} old  {left:>6} left  "
        f"{'; '.join(map(printable, _reasons(letter)))}"
    )


def as_lines(letter: DeadLetter, now: datetime) -> Iterator[str]:
    """One dead letter, a line for each thing that is known of it."""
    told = letter_as_json(letter)
    del told["undelivered"], told["problems"]
    seconds = letter.age_seconds(now)
    told["age"] = None if seconds is None else age(seconds)
    for name, value in told.items():
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


def redriven_as_json(outcome: RedriveReport) -> dict[str, object]:
    """What machines get."""
    return {
        "ok": outcome.ok,
        "moved": outcome.moved,
        "undeleted": outcome.undeleted,
        "failed": outcome.failed,
        "left": outcome.skipped,
        "problem": outcome.problem or None,
        "interrupted": outcome.interrupted,
    }


def redriven_lines(outcome: RedriveReport) -> Iterator[str]:
    """What people get."""
    yield f"{outcome.moved} moved to the queue"
    if outcome.undeleted:
        yield f"{outcome.undeleted} of them may be in both queues"
    if outcome.failed:
        yield f"{outcome.failed} could not be moved, and are where they were"
    yield from _left(outcome.skipped)


def report_as_json(report: BatchReport) -> dict[str, object]:
    """What machines get."""
    return {
        "ok": report.ok,
        "messages": report.done,
        "undeleted": report.undeleted,
        "left": report.skipped,
        "problem": report.problem or None,
        "interrupted": report.interrupted,
    }


def report_lines(report: BatchReport, what: str) -> Iterator[str]:
    """What people get."""
    yield f"{report.done} {what}"
    if report.undeleted:
        yield f"{report.undeleted} of them may be in the dead-letter queue still"
    yield from _left(report.skipped)


def _left(count: int) -> Iterator[str]:
    if count:
        yield f"{count} came after the start, or came straight back, and were left alone"
