"""The options of `transcripts consume` that say how it works."""

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

_OPTIONS = (
    click.option(
        "--concurrency",
        "threads",
        type=click.IntRange(1, MAX_THREADS),
        metavar="N",
        default=DEFAULTS.threads,
        show_default=True,
        help="How many events are worked off at once.",
    ),
    click.option(
        "--handler-timeout",
        "handler_seconds",
        type=FiniteRange(0, MAX_VISIBILITY_TIMEOUT, min_open=True),
        metavar="SECONDS",
        default=DEFAULTS.handler_seconds,
        show_default=True,
        help="What one event may take. Then a command is killed; of a function the event is left to others.",
    ),
    click.option(
        "--pause-seconds",
        type=FiniteRange(0, 900),
        metavar="SECONDS",
        default=DEFAULTS.pause_seconds,
        show_default=True,
        help="The pause after a first failure, at most; each next one is four times as long.",
    ),
    click.option(
        "--hidden-seconds",
        type=click.IntRange(3, MAX_VISIBILITY_TIMEOUT),
        metavar="SECONDS",
        default=DEFAULTS.visibility_timeout,
        show_default=True,
        help="For how long what is in hand is hidden from others; renewed while it is.",
    ),
    click.option(
        "--grace-seconds",
        type=FiniteRange(0, MAX_VISIBILITY_TIMEOUT),
        metavar="SECONDS",
        default=DEFAULTS.grace_seconds,
        show_default=True,
        help="What is in hand may take so long once it is told to stop; the rest is put back then.",
    ),
    click.option(
        "--remember-days",
        type=FiniteRange(0, MAX_DAYS, min_open=True),
        metavar="DAYS",
        default=DEFAULTS.remember_days,
        show_default=True,
        help="For how long duplicates are recognised. A message may spend 14 days in the queue and 14 dead.",
    ),
    click.option(
        "--max-messages",
        type=click.IntRange(1),
        metavar="N",
        help="End after so many events. [default: never]",
    ),
    click.option("--drain", is_flag=True, help="End once the queue is empty, instead of waiting for more."),
)


def consumer_options(command: Command) -> Command:
    """Add all of them, under the names of the fields of `ConsumerOptions`."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)
