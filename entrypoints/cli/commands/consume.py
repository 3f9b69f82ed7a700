"""`transcripts consume`: the events in the queue, worked off."""

import gc
import os
import signal
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import click

from bootstrap.runtime.consumer import DEFAULT_GROUP, build_consumer
from bootstrap.runtime.handlers import FileFormat, command_handler, directory_handler, function_handler
from domain.services.consuming.consumer import Consumer, ConsumerOptions, ConsumerStats
from entrypoints.cli.commands.consume_options import CONSUMER_GROUP, consumer_options
from entrypoints.cli.runtime.configuration import configure
from entrypoints.cli.runtime.parameters import PathTo, examples
from entrypoints.cli.runtime.signals import STOPPING, stop_at_once_when_told
from entrypoints.cli.views.output import EXIT_FAILED, print_json
from ports.event_handler_port import EventHandlerPort

HANGING_SECONDS = 30.0
"""So long after its own timeout even a command that is killed has ended."""


@click.command(
    "consume",
    epilog=examples(
        "consume --exec './handle --verbose'",
        "consume --handler handlers:store --concurrency 16",
        "consume --to warehouse --format parquet --drain",
    ),
)
@click.option(
    "--exec",
    "line",
    metavar="CMD",
    help="Run this for each event: its JSON on stdin, exit code 0 for success. No shell is involved.",
)
@click.option(
    "--handler",
    "function",
    metavar="MODULE:FUNCTION",
    help="Call this with each ReceivedEvent (domain.model.consuming.received); it fails by raising.",
)
@click.option(
    "--to",
    "folder",
    type=PathTo(file_okay=False, path_type=Path),
    help="Write each event to a file here, by tenant and day.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FileFormat, case_sensitive=False),
    help="Of the files of --to. [default: jsonl]",
)
@click.option(
    "--group",
    type=CONSUMER_GROUP,
    default=DEFAULT_GROUP,
    show_default=True,
    help="Who remembers which events were worked off; consumers that do the same work have the same.",
)
@click.option(
    "--payload-bucket", metavar="BUCKET", help="The bucket with large transcripts. [default: PAYLOAD_BUCKET]"
)
@consumer_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end, for machines.")
def command(
    line: str | None,
    function: str | None,
    folder: Path | None,
    file_format: FileFormat | None,
    group: str,
    payload_bucket: str | None,
    *,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the fields of ConsumerOptions, by their names
) -> None:
    """Work off the events in the queue until SIGTERM or SIGINT; name one of --exec, --handler and --to.

    A message is deleted after its handler succeeded, and never before. A failure brings it back after a
    growing pause, and the third one makes it a dead letter; so does what cannot be read. Duplicates are
    skipped. The signal lets handlers finish for as long as --grace-seconds says; a second one ends at once.

    With --drain or --max-messages, exit code 1 says that events failed and were not handled since, or that
    messages could not be read.
    """
    stop_at_once_when_told()
    _require_one_handler(line, function, folder)
    if file_format and not folder:
        raise click.UsageError("--format is for the files of --to.")
    settings = configure(default_log_level="INFO", PAYLOAD_BUCKET=payload_bucket)
    work = ConsumerOptions(**options)
    handler = _handler(line, function, folder, file_format, timeout_seconds=work.handler_seconds)
    if line:
        work = ConsumerOptions(**options | {"handler_seconds": work.handler_seconds + HANGING_SECONDS})
    tally = _run(build_consumer(settings, handler, group=group, options=work))
    if as_json:
        print_json(tally.as_dict())
    else:
        click.echo(_summary(tally))
    if work.ends_by_itself and tally.leaves_something:
        raise SystemExit(EXIT_FAILED)


def _require_one_handler(*given: object) -> None:
    if sum(each is not None for each in given) != 1:
        raise click.UsageError("Name exactly one of --exec CMD, --handler MODULE:FUNCTION and --to DIR.")


def _handler(
    line: str | None,
    function: str | None,
    folder: Path | None,
    file_format: FileFormat | None,
    *,
    timeout_seconds: float,
) -> EventHandlerPort:
    if line is not None:
        return command_handler(line, timeout_seconds=timeout_seconds)
    if function is not None:
        return function_handler(function)
    return directory_handler(folder or Path(), file_format or FileFormat.JSONL)


def _run(consumer: Consumer) -> ConsumerStats:
    """Signals are caught, not blocked: commands would inherit the block, and could not be stopped."""
    signals = SimpleQueue[int]()  # its `put` may interrupt anything, itself included
    for each in STOPPING:
        signal.signal(each, lambda number, _: signals.put(number))
    Thread(target=_stop_when_told, args=(consumer, signals), name="signals", daemon=True).start()
    gc.freeze()  # what is loaded now stays: collections need not look through it again and again
    return consumer.run()


def _stop_when_told(consumer: Consumer, signals: "SimpleQueue[int]") -> None:
    signals.get()
    consumer.stop()
    number = signals.get()
    consumer.abort()
    os._exit(128 + number)


def _summary(tally: ConsumerStats) -> str:
    return ", ".join(f"{number} {fate.replace('_', ' ')}" for fate, number in tally.as_dict().items())
