"""Views of erasures: what was erased by store, and what expires when; lines of text, and JSON."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import click

from domain.model.identity import Interaction
from domain.services.erasure.erasure import ErasureReport
from entrypoints.cli.views.output import printable

QUEUE_DAYS = 14
"""Days for which queue and dead-letter queue keep a message (requirement 6)."""
REFERENCES = "references without an object; only events sent before EVENT_TEXTS=reference hold texts"
COUNTS = ("interactions", "cancelled", "jobs", "events", "answers", "recordings", "payloads", "announced")


class Expiry(NamedTuple):
    """A place that the erasure does not reach, and when the texts there are gone."""

    place: str
    until: str  # a date, or what to do
    note: str


def expiries(archive_days: int | None, now: datetime, *, by_reference: bool) -> tuple[Expiry, ...]:
    """Tell when events that were sent before now are gone from the places behind the bus.

    Events with references (EVENT_TEXTS=reference) hold no text there, and lead to no object any more.
    """
    waiting = "messages that are not consumed yet"
    queues = (now + timedelta(days=QUEUE_DAYS)).date().isoformat()
    return (
        Expiry("queue", queues, REFERENCES if by_reference else waiting),
        Expiry("dead-letter queue", queues, "all at once: `transcripts dlq purge`"),
        Expiry("event archive", _archive(archive_days, now), "events cannot be taken out one by one"),
        Expiry("consumers, backups", "-", "TranscriptErased tells consumers; see docs/erasure.md"),
    )


def _archive(archive_days: int | None, now: datetime) -> str:
    if archive_days is None:
        return "ARCHIVE_DAYS is not set; `transcripts status` shows an archive"
    if archive_days == 0:
        return "never: delete the archive as a whole"
    return (now + timedelta(days=archive_days)).date().isoformat()


def report_as_json(report: ErasureReport, expiring: Sequence[Expiry]) -> dict[str, object]:
    """Convert a report to JSON."""
    return {
        "ok": report.ok,
        "erased": {name: getattr(report, name) for name in COUNTS},
        "pending": {str(key): problem for key, problem in report.pending.items()},
        "problem": report.problem or None,
        "expires": [each._asdict() for each in expiring],
    }


def print_report(report: ErasureReport, expiring: Sequence[Expiry]) -> None:
    """Print what was erased, what is left, and what expires when."""
    for name in COUNTS:
        click.echo(f"{name:<18} {getattr(report, name):>6}")
    for interaction_id, problem in report.pending.items():
        click.echo(f"left: {interaction_id}: {printable(problem)}")
    if report.problem:
        click.echo(f"left: {printable(report.problem)}")
    click.echo("Events that were sent before are not reached by the erasure; they are gone:")
    for place, until, note in expiring:
        click.echo(f"  {place:<18} {until:<37} {note}".rstrip())


def plan_as_json(found: Sequence[Interaction]) -> dict[str, object]:
    """Convert the interactions that would be erased to JSON."""
    interactions = [
        {"interaction_id": str(each.id), "tenant_id": str(each.tenant_id), "user_id": each.user_id}
        for each in found
    ]
    return {"ok": True, "dry_run": True, "interactions": interactions}


def print_plan(found: Sequence[Interaction]) -> None:
    """Print one line for each interaction that would be erased."""
    for each in found:
        click.echo(f"{each.id}  {each.tenant_id}  {printable(each.user_id or '-')}")
    click.echo(f"{len(found)} interactions would be erased")
