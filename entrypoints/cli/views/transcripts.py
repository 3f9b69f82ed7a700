"""Outcomes of recordings: for people, for machines, and as one document on stdout."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from domain.model.errors import TranscriptionServiceError
from domain.model.events.event import PublicationStatus
from entrypoints.cli.views.output import console, print_json, printable
from entrypoints.cli.views.transcript_files import TranscriptFormat, document_of

if TYPE_CHECKING:
    from rich.console import Console

    from domain.services.batch_processing import BatchResult


class Outcome(NamedTuple):
    """Result of one recording, or the error in which it ended."""

    file: Path
    result: "BatchResult | None" = None
    error: TranscriptionServiceError | None = None  # beside a result: its file could not be written
    written: Path | None = None  # file with the transcript

    @property
    def ok(self) -> bool:
        """The transcript is there, and its event is not lost."""
        is_lost = self.result is None or self.result.publication.status is PublicationStatus.FAILED
        return self.error is None and not is_lost


def print_outcomes_as_json(outcomes: Iterable[Outcome]) -> None:
    """Print one JSON object with all outcomes."""
    print_json({"results": [outcome_as_json(outcome) for outcome in outcomes]})


def print_document(outcome: Outcome, form: TranscriptFormat) -> None:
    """Print the transcript alone on stdout; warnings, and an event that is lost, are told on stderr.

    Raises:
        TranscriptionServiceError: there is no transcript.
    """
    if outcome.result is None:
        raise outcome.error or TranscriptionServiceError("no transcript")
    sys.stdout.write(document_of(outcome.result, form))
    if not outcome.ok:
        click.echo(f"event {outcome.result.publication.status}", err=True)
    for warning in outcome.result.warnings:
        click.echo(f"warning: {printable(warning.detail)}", err=True)


def show_outcomes(outcomes: Iterable[Outcome]) -> None:
    """Print all outcomes: the text, or the file that holds it."""
    out = console()
    for outcome in outcomes:
        out.print(printable(str(outcome.file)), style="bold", markup=False)
        if outcome.result is not None:
            _show_result(out, outcome.result, outcome.written)
        if outcome.error is not None:
            out.print(f"  [red]{type(outcome.error).__name__}[/red]", end=" ")
            out.print(printable(str(outcome.error)), markup=False)


def _show_result(out: "Console", result: "BatchResult", written: Path | None) -> None:
    text = printable(result.cleaned_transcript) or "(no speech)"
    out.print(f"  {text if written is None else f'written to {printable(str(written))}'}", markup=False)
    publication = result.publication
    out.print(f"  event {publication.status} {publication.event_id or ''}", style="dim", markup=False)
    for warning in result.warnings:
        out.print(f"  warning: {printable(warning.detail)}", style="yellow", markup=False)


def outcome_as_json(outcome: Outcome) -> dict[str, object]:
    """Convert an outcome to JSON: the answer of the service, or the error."""
    described: dict[str, object] = {"file": str(outcome.file)}
    if outcome.result is not None:
        from entrypoints.api.schemas import BatchResponse  # noqa: PLC0415 - one shape for both doors

        described |= BatchResponse.of(outcome.result).model_dump(mode="json")
    if outcome.written is not None:
        described["output"] = str(outcome.written)
    if outcome.error is not None:
        described["error"] = {"type": type(outcome.error).__name__, "detail": str(outcome.error)}
    return described
