"""Failures of commands: a line on stderr, one JSON object on stdout with `--json`, and an exit code."""

from contextlib import suppress
from typing import NamedTuple

import click

from domain.model.errors import ConfigurationError, TranscriptionServiceError
from entrypoints.cli.views.output import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, print_json, printable

FAILURE_AS_JSON = click.option(
    "--json", is_flag=True, expose_value=False, help="On failure, print one JSON object, for machines."
)
"""Option of commands whose results are not a JSON object."""


class CommandInterruptedError(click.ClickException):
    """Ctrl-C ended a command; the message says what was done, what was not, and how to go on."""

    exit_code = EXIT_INTERRUPTED


class UnexpectedFailureError(TranscriptionServiceError):
    """A command ended by an error that it does not expect, a defect; the log has its stack trace."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"unexpected error: {type(error).__name__}; the log above says where")


class Failure(NamedTuple):
    """Failure as JSON, beside `"ok": false`."""

    type: str  # the error's name
    detail: str  # the problem and its remedy, for people
    exit_code: int  # exit code of the process

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Describe an error, ours or of click."""
        name = type(error).__name__
        match error:
            case click.Abort():
                return _aborted(error)
            case click.UsageError():  # subclasses have names of the library
                return cls(click.UsageError.__name__, error.format_message(), EXIT_USAGE)
            case click.ClickException():
                return cls(name, error.format_message(), error.exit_code)
            case ConfigurationError():
                return cls(name, str(error), EXIT_USAGE)
            case _:
                return cls(name, str(error), EXIT_FAILED)


FAILURES = (click.ClickException, click.Abort, TranscriptionServiceError)
"""Expected errors of a command."""


def report_failure(error: Exception, *, as_json: bool) -> int:
    """Print an error, and return the exit code."""
    failure = Failure.of(error)
    with suppress(OSError):  # stderr may be closed or full: the exit code remains
        if isinstance(error, click.UsageError):
            error.show()  # with the usage
        else:
            click.echo(f"Error: {_in_lines(failure.detail)}", err=True)
    if as_json:
        print_json({"ok": False, "error": failure._asdict()})
    return failure.exit_code


def _aborted(abort: click.Abort) -> Failure:
    """Tell apart Ctrl-C, a prompt without input, and the answer no, for which click raises one exception."""
    match abort.__cause__ or abort.__context__:
        case KeyboardInterrupt():
            return Failure(CommandInterruptedError.__name__, "Interrupted.", EXIT_INTERRUPTED)
        case EOFError():
            detail = "Cannot ask for confirmation without input; add --yes. Nothing was done."
            return Failure(click.UsageError.__name__, detail, EXIT_USAGE)
        case _:
            return Failure("Declined", "Nothing was done.", EXIT_FAILED)


def _in_lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))
