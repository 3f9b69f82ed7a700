"""How dead letters are told, to people and to machines; what came from a queue is escaped."""

from collections.abc import Iterator
from datetime import datetime

from domain.model.messages.dead_letter import DeadLetter
from domain.model.route.route import RETENTION_SECONDS
from domain.services.dead_letters.dead_letters import Tally
from domain.services.dead_letters.redrive import Redriven
from entrypoints.cli.views.outbox import age
from entrypoints.cli.views.output import printable

NO_ID = "-" * 36


def letter_as_json(letter: DeadLetter) -> dict[str, object]:
    """What machines get."""
    reading, undelivered = letter.reading, letter.undelivered
    return {
        "id": letter.id,
        "tenant_id": str(reading.tenant_id) if reading.tenant_id else None,
        "interaction_id": str(reading.interaction_id) if reading.interaction_id else None,
        "version": reading.version,
        "sent_at": letter.sent_at.isoformat() if letter.sent_at else None,
        "receive_count": letter.receive_count,
        "size": letter.size,
        "undelivered": undelivered._asdict() if undelivered else None,
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
    undelivered, problems = letter.undelivered, letter.reading.problems
    if undelivered:
        tries = "" if undelivered.attempts is None else f" after {undelivered.attempts} retries"
        limit = f", {undelivered.exhausted}" if undelivered.exhausted else ""
        message = f": {undelivered.message}" if undelivered.message else ""
        yield f"never reached the queue{tries}{limit}: {undelivered.code}{message}"
    else:
        yield "received once" if letter.receive_count == 1 else f"received {letter.receive_count} times"
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        yield f"breaks the contract at {problems[0].place}: {problems[0].what}{more}"


def redriven_as_json(redriven: Redriven) -> dict[str, object]:
    """What machines get."""
    return {
        "ok": redriven.ok,
        "moved": redriven.moved,
        "undeleted": redriven.undeleted,
        "failed": redriven.failed,
        "left": redriven.left,
        "problem": redriven.problem or None,
        "interrupted": redriven.interrupted,
    }


def redriven_lines(redriven: Redriven) -> Iterator[str]:
    """What people get."""
    yield f"{redriven.moved} moved to the queue"
    if redriven.undeleted:
        yield f"{redriven.undeleted} of them may be in both queues"
    if redriven.failed:
        yield f"{redriven.failed} could not be moved, and are where they were"
    yield from _left(redriven.left)


def tally_as_json(tally: Tally) -> dict[str, object]:
    """What machines get."""
    return {
        "ok": tally.ok,
        "messages": tally.done,
        "undeleted": tally.undeleted,
        "left": tally.left,
        "problem": tally.problem or None,
        "interrupted": tally.interrupted,
    }


def tally_lines(tally: Tally, what: str) -> Iterator[str]:
    """What people get."""
    yield f"{tally.done} {what}"
    if tally.undeleted:
        yield f"{tally.undeleted} of them may be in the dead-letter queue still"
    yield from _left(tally.left)


def _left(count: int) -> Iterator[str]:
    if count:
        yield f"{count} came after the start, or came straight back, and were left alone"
