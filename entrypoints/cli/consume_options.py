"""The options of `transcripts consume` that say how it works."""

from collections.abc import Callable
from functools import reduce

import click

from domain.services.consumer import ConsumerOptions
from entrypoints.cli.parameters import Finite, Written
from ports.queue_port import MAX_HIDDEN_SECONDS

DEFAULTS = ConsumerOptions()
MAX_THREADS = 256
MAX_DAYS = 36_500

Command = Callable[..., object]

CONSUMER_GROUP = Written("NAME", "[A-Za-z0-9._-]{1,80}", "name of up to 80 letters, digits and . _ -")

_OPTIONS = (
    click.option(
        "--concurrency",
        "threads",
        type=click.IntRange(1, MAX_THREADS),
        default=DEFAULTS.threads,
        show_default=True,
        help="How many events are worked off at once.",
    ),
    click.option(
        "--handler-timeout",
        "handler_seconds",
        type=Finite(0, MAX_HIDDEN_SECONDS, min_open=True),
        default=DEFAULTS.handler_seconds,
        show_default=True,
        help="Seconds for one event. Then a command is killed; of a function the event is left to others.",
    ),
    click.option(
        "--pause-seconds",
        type=Finite(0, 900),
        default=DEFAULTS.pause_seconds,
        show_default=True,
        help="After a first failure, at most; the next pauses are four times as long each.",
    ),
    click.option(
        "--hidden-seconds",
        type=click.IntRange(3, MAX_HIDDEN_SECONDS),
        default=DEFAULTS.hidden_seconds,
        show_default=True,
        help="For how long what is in hand is hidden from others; renewed while it is.",
    ),
    click.option(
        "--grace-seconds",
        type=Finite(0, MAX_HIDDEN_SECONDS),
        default=DEFAULTS.grace_seconds,
        show_default=True,
        help="For what is in hand when it is told to stop; after them that is put back.",
    ),
    click.option(
        "--remember-days",
        type=Finite(0, MAX_DAYS, min_open=True),
        default=DEFAULTS.remember_days,
        show_default=True,
        help="How long duplicates are recognised: 14 days in the queue and 14 as a dead letter.",
    ),
    click.option("--max-messages", type=click.IntRange(1), help="End after so many events."),
    click.option("--drain", is_flag=True, help="End once the queue is empty."),
)


def consumer_options(command: Command) -> Command:
    """Add all of them, under the names of the fields of `ConsumerOptions`."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)
