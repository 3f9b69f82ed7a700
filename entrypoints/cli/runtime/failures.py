"""How commands fail: a line on stderr, one JSON object on stdout after `--json`, and an exit code."""

from contextlib import suppress
from typing import NamedTuple

import click

from domain.model.errors import ConfigurationError, TranscriptionServiceError
from entrypoints.cli.views.output import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, print_json, printable

FAILURE_AS_JSON = click.option(
    "--json", is_flag=True, expose_value=False, help="Where it fails, one JSON object, for machines."
)
"""For commands whose results are no JSON object."""


class CommandInterruptedError(click.ClickException):
    """Ctrl-C ended a command. The message says what was done, what was not, and how to go on."""

    exit_code = EXIT_INTERRUPTED


class Failure(NamedTuple):
    """What machines get of a failure, beside `"ok": false`.

    Attributes:
        type: the error's name.
        detail: what is wrong, and what to do, for people.
        exit_code: of the process.
    """

    type: str
    detail: str
    exit_code: int

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """What an error comes to, whoever raised it."""
        name = type(error).__name__
        match error:
            case click.Abort():
                return _unanswered(error)
            case click.UsageError():  # of whichever kind: those names are the library's
                return cls(click.UsageError.__name__, error.format_message(), EXIT_USAGE)
            case click.ClickException():
                return cls(name, error.format_message(), error.exit_code)
            case ConfigurationError():
                return cls(name, str(error), EXIT_USAGE)
            case _:
                return cls(name, str(error), EXIT_FAILED)


FAILURES = (click.ClickException, click.Abort, TranscriptionServiceError)
"""Everything that may end a command, defects aside."""


def report_failure(error: Exception, *, as_json: bool) -> int:
    """Say what went wrong, and return the exit code."""
    failure = Failure.of(error)
    with suppress(OSError):  # stderr may be closed, or full: the exit code says it still
        if isinstance(error, click.UsageError):
            error.show()  # with how it is used
        else:
            click.echo(f"Error: {_in_lines(failure.detail)}", err=True)
    if as_json:
        print_json({"ok": False, "error": failure._asdict()})
    return failure.exit_code


def _unanswered(abort: click.Abort) -> Failure:
    """Click says the same of Ctrl-C, of a question that nobody is there to answer, and of a no."""
    match abort.__cause__ or abort.__context__:
        case KeyboardInterrupt():
            return Failure(CommandInterruptedError.__name__, "It was interrupted.", EXIT_INTERRUPTED)
        case EOFError():
            detail = "There is nobody to answer the question: --yes answers it. Nothing was done."
            return Failure(click.UsageError.__name__, detail, EXIT_USAGE)
        case _:
            return Failure("Declined", "Nothing was done.", EXIT_FAILED)


def _in_lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))
