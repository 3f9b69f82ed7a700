"""`transcripts consume`: handles the events in the queue."""

import gc
import os
import signal
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import click

from bootstrap.runtime.consumer import DEFAULT_GROUP, build_consumer
from bootstrap.runtime.handlers import (
    FileFormat,
    command_handler,
    directory_handler,
    function_handler,
    prints_on_stderr,
)
from bootstrap.runtime.metrics import exposed, process_metrics
from domain.model.events.kinds import EventKind
from domain.services.consuming.consumer import Consumer, ConsumerOptions, ConsumerStats
from entrypoints.cli.commands.consume_options import CONSUMER_GROUP, RENAMED_OPTIONS, consumer_options
from entrypoints.cli.runtime.account import log_account, print_place
from entrypoints.cli.runtime.configuration import configure
from entrypoints.cli.runtime.kinds import kind_option
from entrypoints.cli.runtime.parameters import PathTo, examples, timeout_option
from entrypoints.cli.runtime.signals import STOPPING, exit_on_signal
from entrypoints.cli.views.output import EXIT_FAILED, print_json
from ports.event_handler_port import EventHandlerPort

KILL_SECONDS = 30.0
"""Time after its timeout within which a killed command has ended."""


@click.command(
    "consume",
    context_settings={"token_normalize_func": lambda name: RENAMED_OPTIONS.get(name, name)},
    epilog=examples(
        "consume --exec './handle --verbose'",
        "consume --handler handlers:store --concurrency 16",
        "consume --to warehouse --format parquet --drain",
        "consume --kind failed --to failures",
    ),
)
@click.option(
    "--exec",
    "line",
    metavar="CMD",
    help="Run this command for each event: its JSON on stdin, exit code 0 for success. No shell is involved.",
)
@click.option(
    "--handler",
    "function",
    metavar="MODULE:FUNCTION",
    help="Call this function with each ReceivedEvent (domain.model.consuming.received); it fails by raising.",
)
@click.option(
    "--to",
    "folder",
    type=PathTo(file_okay=False, path_type=Path),
    help="Write each event to a file in this folder, by tenant and day.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FileFormat, case_sensitive=False),
    help="Format of the files of --to. [default: jsonl]",
)
@kind_option("Kind of events; each has a queue of its own.")
@click.option(
    "--group",
    type=CONSUMER_GROUP,
    default=DEFAULT_GROUP,
    show_default=True,
    help="Deduplication group; consumers that share the work have the same group.",
)
@click.option(
    "--payload-bucket", metavar="BUCKET", help="S3 bucket of large transcripts. [default: PAYLOAD_BUCKET]"
)
@consumer_options
@timeout_option("Longest wait for an answer of AWS to one call, in three tries, beside the long polls.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def command(
    line: str | None,
    function: str | None,
    folder: Path | None,
    file_format: FileFormat | None,
    kind: EventKind,
    group: str,
    payload_bucket: str | None,
    timeout: float,
    *,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the fields of ConsumerOptions
) -> None:
    """Handle the events in the queue until SIGTERM or SIGINT, by one of --exec, --handler and --to.

    A message is deleted after its handler succeeded, never before. After a failure it reappears with a
    growing delay; the third failure dead-letters it. Unreadable messages are dead-lettered, too. Duplicates
    are skipped. On the signal running handlers have --shutdown-timeout to finish; a second signal ends at
    once. Lines that a handler prints go to stderr, after the interaction id of its event.

    With --drain or --max-messages, exit code 1 means that events failed and were not handled since, or that
    messages were unreadable.
    """
    exit_on_signal()
    _require_one_handler(line, function, folder)
    if file_format and not folder:
        raise click.UsageError("--format needs --to.")
    settings = configure(default_log_level="INFO", PAYLOAD_BUCKET=payload_bucket)
    work = ConsumerOptions(**options)
    lookup = log_account(settings)
    with prints_on_stderr():
        handler = _handler(line, function, folder, file_format, kind, timeout_seconds=work.handler_timeout)
        if line:
            work = replace(work, handler_timeout=work.handler_timeout + KILL_SECONDS)
        metrics = process_metrics(settings)
        consumer = build_consumer(
            settings, handler, kind=kind, group=group, options=work, aws_timeout=timeout, metrics=metrics
        )
        with exposed(settings, metrics):
            stats = _run(consumer)
    print_place(lookup.place, as_json=as_json)
    if as_json:
        print_json(stats.as_dict())
    else:
        click.echo(_summary(stats))
    if work.ends_by_itself and stats.has_unhandled:
        raise SystemExit(EXIT_FAILED)


def _require_one_handler(*given: object) -> None:
    if sum(each is not None for each in given) != 1:
        raise click.UsageError("Name exactly one of --exec CMD, --handler MODULE:FUNCTION and --to DIR.")


def _handler(
    line: str | None,
    function: str | None,
    folder: Path | None,
    file_format: FileFormat | None,
    kind: EventKind,
    *,
    timeout_seconds: float,
) -> EventHandlerPort:
    if line is not None:
        return command_handler(line, timeout_seconds=timeout_seconds)
    if function is not None:
        return function_handler(function)
    return directory_handler(folder or Path(), file_format or FileFormat.JSONL, kind)


def _run(consumer: Consumer) -> ConsumerStats:
    """Run the consumer; a signal stops it.

    Signals are caught, not blocked: commands would inherit the block, and could not be stopped.
    """
    signals = SimpleQueue[int]()  # its `put` is reentrant
    for each in STOPPING:
        signal.signal(each, lambda number, _: signals.put(number))
    Thread(target=_stop_on_signal, args=(consumer, signals), name="signals", daemon=True).start()
    gc.freeze()  # loaded modules stay; collections need not look through them
    return consumer.run()


def _stop_on_signal(consumer: Consumer, signals: "SimpleQueue[int]") -> None:
    signals.get()
    consumer.stop()
    number = signals.get()
    consumer.abort()
    os._exit(128 + number)


def _summary(stats: ConsumerStats) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in stats.as_dict().items())
