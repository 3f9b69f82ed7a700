"""`transcripts`: the command line of the service.

Commands are imported when they are called, so that `transcripts --help` is fast.
"""

import importlib
import logging
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import click

from entrypoints.cli.runtime.environment_file import forget_blank_aws_variables, load_environment_file
from entrypoints.cli.runtime.failures import FAILURES, UnexpectedFailureError, report_failure
from entrypoints.cli.runtime.garbage_collection import collect_rarely
from entrypoints.cli.runtime.stdout import OutputError, watched_stdout
from entrypoints.cli.views.output import EXIT_OK

logger = logging.getLogger(__name__)


class _Command(NamedTuple):
    module: str
    summary: str


COMMANDS = {
    "serve": _Command("serve", "Run the HTTP service."),
    "process": _Command("process", "Transcribe local recordings without HTTP, and publish their events."),
    "jobs": _Command("jobs", "Submit recordings as durable jobs, follow them, and export transcripts."),
    "worker": _Command("worker", "Work on jobs in a separate process."),
    "erase": _Command("erase", "Erase transcripts and recordings from every store."),
    "keys": _Command("keys", "Create, list, revoke and rotate the API keys of callers."),
    "models": _Command("models", "List the models of the speech engine, and fetch one."),
    "provision": _Command("provision", "Create queue, dead-letter queue, rule and target, and check them."),
    "status": _Command("status", "Show the state of the route, and drift from its definition."),
    "teardown": _Command("teardown", "Remove target, rule, queue and dead-letter queue."),
    "replay": _Command("replay", "Send archived events through the route again."),
    "verify": _Command("verify", "Send a test event through the route, and report where it stops."),
    "relay": _Command("relay", "Publish the events in the outbox, in a separate process."),
    "outbox": _Command("outbox", "List, show, retry and prune the events in the outbox."),
    "consume": _Command("consume", "Handle the events in the queue with a command, a function or files."),
    "dlq": _Command("dlq", "List, show, export, archive, redrive and purge dead letters."),
    "doctor": _Command("doctor", "Check the environment, the database and the route for problems."),
    "schema": _Command("schema", "Print the contract of the events, or compare two versions of it."),
    "webhook": _Command("webhook", "Make the secrets that sign the events of a webhook."),
    "iam-policy": _Command("iam_policy", "Print the smallest IAM policy for a role."),
    "demo": _Command("demo", "Run the main job on this machine, from recording to consumer."),
}


class LazyGroup(click.Group):
    """Command group that imports the module of a command on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands, in the order of first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"entrypoints.cli.commands.{COMMANDS[cmd_name].module}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])


def _show_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        from importlib import metadata  # noqa: PLC0415 - slow to import

        try:
            version = metadata.version("batch-transcription")
        except metadata.PackageNotFoundError:  # `python -m entrypoints.cli` in a checkout
            version = "unknown (source checkout)"
        click.echo(f"transcripts, version {version}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
def cli() -> None:
    """Turn recordings into clean transcripts, and publish an event for each.

    Settings come from the environment and from a file `.env` in the current folder; the environment wins.
    """
    load_environment_file(Path(".env"))
    forget_blank_aws_variables()


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 success, 1 failure, 2 wrong usage or configuration, 130 Ctrl-C."""
    collect_rarely()
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        with watched_stdout():
            sys.exit(_run(arguments))
    except OutputError as error:
        sys.exit(report_failure(error, as_json=False))
    except Exception as error:
        logger.exception(
            "command failed with an unexpected error", extra={"error_type": type(error).__name__}
        )
        sys.exit(report_failure(UnexpectedFailureError(error), as_json=_wants_json(arguments)))


def _run(arguments: list[str]) -> int:
    try:
        return cli.main(arguments, prog_name="transcripts", standalone_mode=False) or EXIT_OK
    except OutputError:
        raise
    except FAILURES as error:
        return report_failure(error, as_json=_wants_json(arguments))


def _wants_json(arguments: list[str]) -> bool:
    return "--json" in takewhile("--".__ne__, arguments)


if __name__ == "__main__":
    main()
