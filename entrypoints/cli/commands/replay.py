"""`transcripts replay`: send archived events through the route again."""

from datetime import UTC, datetime
from uuid import UUID

import click

from domain.model.replays import Replay, ReplayRequest, ReplayState
from domain.services.route.replay import EventReplayService
from entrypoints.cli.runtime.account import announce_account
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.failures import CommandInterruptedError
from entrypoints.cli.runtime.parameters import AWS_TIMEOUT, PatternType, examples
from entrypoints.cli.views.output import EXIT_FAILED, print_json, printable

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


REPLAY_NAME = PatternType(
    "name", "[.A-Za-z0-9_-]{1,64}", "name of a replay: up to 64 letters, digits and . _ -"
)


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601 with a time zone."""

    name = "ISO 8601"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Parse the time in UTC."""
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-11-23T18:00:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no time zone: append Z, or an offset such as +01:00", param, ctx)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail(f"{value!r} is before the year 1 or after 9999 in UTC", param, ctx)


@click.group(
    "replay",
    invoke_without_command=True,
    epilog=examples(
        "replay --from 2026-11-23T08:00:00Z --to 2026-11-23T12:00:00+01:00",
        "replay --from 2026-11-23T08:00:00Z --no-wait",
        "replay show NAME --wait",
    ),
)
@click.option(
    "--from",
    "start",
    type=Moment(),
    metavar="TIME",
    help="Start of the events: ISO 8601 with time zone. [required]",
)
@click.option("--to", "end", type=Moment(), metavar="TIME", help="End of the events. [default: now]")
@click.option("--tenant", "tenant_id", type=click.UUID, help="Only events of this tenant. [default: all]")
@click.option(
    "--wait/--no-wait",
    default=True,
    show_default=True,
    help="Wait for the end of the replay, or return at once.",
)
@AWS_TIMEOUT
@AS_JSON
@click.pass_context
def command(
    ctx: click.Context,
    start: datetime | None,
    end: datetime | None,
    tenant_id: UUID | None,
    timeout: float,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    """Send archived events through the route again, to the queue and nowhere else.

    Consumers find the replay's name as `replay-name` in the envelope. Ctrl-C leaves the replay running.
    """
    if ctx.invoked_subcommand is not None:
        return
    request = _request(start, end, tenant_id)
    replays = _replays(timeout, as_json=as_json)
    name = replays.start(request)
    if not wait:
        _print_started(name, as_json=as_json)
        return
    _print_result(_followed(replays, name), as_json=as_json)


@command.command("show")
@click.argument("name", type=REPLAY_NAME)
@click.option(
    "--wait/--no-wait",
    default=False,
    show_default=True,
    help="Wait for the end of the replay, or return at once.",
)
@AWS_TIMEOUT
@AS_JSON
def show(name: str, timeout: float, *, wait: bool, as_json: bool) -> None:
    """Show the state of a replay."""
    replays = _replays(timeout, as_json=as_json)
    _print_result(_followed(replays, name) if wait else next(replays.follow(name)), as_json=as_json)


@command.command("cancel")
@click.argument("name", type=REPLAY_NAME)
@AWS_TIMEOUT
@AS_JSON
def cancel(name: str, timeout: float, *, as_json: bool) -> None:
    """Stop a replay; events already sent stay in the queue."""
    replay = _replays(timeout, as_json=as_json).cancel(name)
    print_json(replay_as_json(replay)) if as_json else click.echo(as_line(replay))


def _replays(timeout: float, *, as_json: bool) -> EventReplayService:
    container = build_container(configure(), aws_timeout=timeout)
    announce_account(container, as_json=as_json)
    return container.replays()


def _request(start: datetime | None, end: datetime | None, tenant_id: UUID | None) -> ReplayRequest:
    if start is None:
        raise click.UsageError("Give --from, the start of the events.")
    now = datetime.now(UTC)
    if end is not None and end > now:
        raise click.UsageError(f"--to {end.isoformat()} is in the future.")
    try:
        return ReplayRequest(start, end or now, tenant_id)
    except ValueError as error:
        raise click.UsageError(f"--from and --to: {error}.") from None


def _followed(replays: EventReplayService, name: str) -> Replay:
    """Follow the replay to its end, and print every change of its state on stderr."""
    printed = ""
    try:
        for replay in replays.follow(name):
            if as_line(replay) != printed:
                printed = as_line(replay)
                click.echo(printed, err=True)
    except KeyboardInterrupt:
        raise CommandInterruptedError(f"The replay continues. {_next_commands(name)}") from None
    return replay


def _print_result(replay: Replay, *, as_json: bool) -> None:
    print_json(replay_as_json(replay)) if as_json else click.echo(as_line(replay))
    if replay.state in (ReplayState.FAILED, ReplayState.CANCELLED):
        raise SystemExit(EXIT_FAILED)


def _print_started(name: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "state": ReplayState.STARTING.value})
    else:
        click.echo(f"{name}  {ReplayState.STARTING}")
        click.echo(_next_commands(name))


def _next_commands(name: str) -> str:
    return f"Show it with `transcripts replay show {name}`, stop it with `transcripts replay cancel {name}`."


def replay_as_json(replay: Replay) -> dict[str, object]:
    """Convert a replay to JSON."""
    return {
        "name": replay.name,
        "state": replay.state.value,
        "from": replay.start.isoformat(),
        "to": replay.end.isoformat(),
        "reached": replay.reached.isoformat() if replay.reached else None,
        "progress": round(replay.progress, 3),
        "reason": replay.reason or None,
    }


def as_line(replay: Replay) -> str:
    """Format a replay as one line."""
    reason = f"  {printable(replay.reason)}" if replay.reason else ""
    return f"{printable(replay.name)}  {replay.state}  {replay.progress:.0%}{reason}"
