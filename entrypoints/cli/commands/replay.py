"""`transcripts replay`: events of the past, down the route once more."""

from datetime import UTC, datetime
from uuid import UUID

import click

from domain.model.replays import Replay, ReplayRequest, ReplayState
from domain.services.route.replay import EventReplayService
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.failures import CommandInterruptedError
from entrypoints.cli.runtime.parameters import PatternType, examples
from entrypoints.cli.views.output import EXIT_FAILED, print_json, printable

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")


REPLAY_NAME = PatternType(
    "name", "[.A-Za-z0-9_-]{1,64}", "name of a replay: up to 64 letters, digits and . _ -"
)


class Moment(click.ParamType[datetime]):
    """A moment in ISO 8601, with its time zone."""

    name = "ISO 8601"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it; the option is named where it is none."""
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no moment such as 2026-11-23T18:00:00Z", param, ctx)
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
    "--from", "start", type=Moment(), metavar="TIME", help="From when on: ISO 8601 with its zone. [required]"
)
@click.option("--to", "end", type=Moment(), metavar="TIME", help="Until when. [default: now]")
@click.option(
    "--tenant", "tenant_id", type=click.UUID, help="The events of this tenant alone. [default: of all]"
)
@click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Follow it to its end, or return at once."
)
@AS_JSON
@click.pass_context
def command(
    ctx: click.Context,
    start: datetime | None,
    end: datetime | None,
    tenant_id: UUID | None,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    """Send archived events down the route again, to the queue and nowhere else.

    Consumers find the replay's name as `replay-name` in the envelope. Ctrl-C leaves the replay running.
    """
    if ctx.invoked_subcommand is not None:
        return
    request = _request(start, end, tenant_id)
    replays = _replays()
    name = replays.start(request)
    if not wait:
        _tell_started(name, as_json=as_json)
        return
    _finish(_followed(replays, name), as_json=as_json)


@command.command("show")
@click.argument("name", type=REPLAY_NAME)
@click.option(
    "--wait/--no-wait", default=False, show_default=True, help="Follow it to its end, or return at once."
)
@AS_JSON
def show(name: str, *, wait: bool, as_json: bool) -> None:
    """Say how a replay stands."""
    replays = _replays()
    _finish(_followed(replays, name) if wait else next(replays.follow(name)), as_json=as_json)


@command.command("cancel")
@click.argument("name", type=REPLAY_NAME)
@AS_JSON
def cancel(name: str, *, as_json: bool) -> None:
    """Stop a replay; what it has sent stays sent."""
    replay = _replays().cancel(name)
    print_json(replay_as_json(replay)) if as_json else click.echo(as_line(replay))


def _replays() -> EventReplayService:
    return build_container(configure()).replays()


def _request(start: datetime | None, end: datetime | None, tenant_id: UUID | None) -> ReplayRequest:
    if start is None:
        raise click.UsageError("Give --from, the first moment in question.")
    now = datetime.now(UTC)
    if end is not None and end > now:
        raise click.UsageError(f"--to {end.isoformat()} is yet to come.")
    try:
        return ReplayRequest(start, end or now, tenant_id)
    except ValueError as error:
        raise click.UsageError(f"--from and --to: {error}.") from None


def _followed(replays: EventReplayService, name: str) -> Replay:
    """The replay at its end; every change of how it stands is told on stderr."""
    told = ""
    try:
        for replay in replays.follow(name):
            if as_line(replay) != told:
                told = as_line(replay)
                click.echo(told, err=True)
    except KeyboardInterrupt:
        raise CommandInterruptedError(f"The replay is left to itself. {_how_to_go_on(name)}") from None
    return replay


def _finish(replay: Replay, *, as_json: bool) -> None:
    print_json(replay_as_json(replay)) if as_json else click.echo(as_line(replay))
    if replay.state in (ReplayState.FAILED, ReplayState.CANCELLED):
        raise SystemExit(EXIT_FAILED)


def _tell_started(name: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "state": ReplayState.STARTING.value})
    else:
        click.echo(f"{name}  {ReplayState.STARTING}")
        click.echo(_how_to_go_on(name))


def _how_to_go_on(name: str) -> str:
    return (
        f"Look at it with `transcripts replay show {name}`, stop it with `transcripts replay cancel {name}`."
    )


def replay_as_json(replay: Replay) -> dict[str, object]:
    """What machines get."""
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
    """What people get."""
    reason = f"  {printable(replay.reason)}" if replay.reason else ""
    return f"{printable(replay.name)}  {replay.state}  {replay.progress:.0%}{reason}"
