"""Options of `transcripts consume` that become `ConsumerOptions`."""

from collections.abc import Callable
from functools import reduce

import click

from domain.services.consuming.consumer import ConsumerOptions
from entrypoints.cli.runtime.parameters import FiniteRange, PatternType
from ports.queue_port import MAX_VISIBILITY_TIMEOUT

DEFAULTS = ConsumerOptions()
MAX_THREADS = 256
MAX_DAYS = 36_500

Command = Callable[..., object]

CONSUMER_GROUP = PatternType("NAME", "[A-Za-z0-9._-]{1,80}", "name of up to 80 letters, digits and . _ -")

RENAMED_OPTIONS = {
    "hidden-seconds": "visibility-timeout",
    "pause-seconds": "retry-delay",
    "grace-seconds": "shutdown-timeout",
    "remember-days": "dedup-days",
}
"""Former names of options, accepted but not shown in --help; of two spellings the last one counts."""

_OPTIONS = (
    click.option(
        "--concurrency",
        "threads",
        type=click.IntRange(1, MAX_THREADS),
        metavar="N",
        default=DEFAULTS.threads,
        show_default=True,
        help="Number of events handled at once.",
    ),
    click.option(
        "--handler-timeout",
        "handler_timeout",
        type=FiniteRange(0, MAX_VISIBILITY_TIMEOUT, min_open=True),
        metavar="SECONDS",
        default=DEFAULTS.handler_timeout,
        show_default=True,
        help="Time limit of one event; then a command is killed, and the message of a function redelivered.",
    ),
    click.option(
        "--retry-delay",
        type=FiniteRange(0, 900),
        metavar="SECONDS",
        default=DEFAULTS.retry_delay,
        show_default=True,
        help="Longest delay after a first failure; each further failure makes it four times as long.",
    ),
    click.option(
        "--visibility-timeout",
        type=click.IntRange(3, MAX_VISIBILITY_TIMEOUT),
        metavar="SECONDS",
        default=DEFAULTS.visibility_timeout,
        show_default=True,
        help="Visibility timeout of in-flight messages; extended while they are handled.",
    ),
    click.option(
        "--shutdown-timeout",
        type=FiniteRange(0, MAX_VISIBILITY_TIMEOUT),
        metavar="SECONDS",
        default=DEFAULTS.shutdown_timeout,
        show_default=True,
        help="On shutdown, wait this long for running handlers, then release their messages.",
    ),
    click.option(
        "--dedup-days",
        type=FiniteRange(0, MAX_DAYS, min_open=True),
        metavar="DAYS",
        default=DEFAULTS.dedup_days,
        show_default=True,
        help="Days for which duplicates are recognised; a message can spend 14 in each of the two queues.",
    ),
    click.option(
        "--max-messages",
        type=click.IntRange(1),
        metavar="N",
        help="End after N events. [default: never]",
    ),
    click.option("--drain", is_flag=True, help="End once the queue is empty."),
)


def consumer_options(command: Command) -> Command:
    """Add the options, under the names of the fields of `ConsumerOptions`."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)
