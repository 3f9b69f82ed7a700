"""Compare `POST /batch/process` with bare endpoints: requests a second and waiting times."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import urllib3

from benchmarks.callers import Load, ceiling, load
from benchmarks.fast_bus import fast_bus
from benchmarks.harness import Figures, in_turn, percentile, ratios
from benchmarks.report import Line, Plot, Report, Table, Target, compared
from benchmarks.servers import CREDENTIALS, Service, server, service
from tests.support.harness.ports import free_port
from tests.support.samples.recordings import ENCODINGS, SAMPLE_RATE, record, speech, tone

CONCURRENCIES = (1, 8, 64)
OF_THE_TARGET = 8
SECONDS = 1.2
ROUNDS = 3
LATENCY_SECONDS = 0.02
SHORT, LONG = "half a second of wav, 16 kB", "a minute of opus, 660 kB"

OURS, WITHOUT_EVENTS = "ours", "ours, events disabled"
RECEIVES = "bare endpoint"
PUBLISHES, WORKS = "bare endpoint, put_events", "bare endpoint, put_events, the same decoding"


def measure() -> Report:
    """Upload short recordings from few and many callers, and longer ones."""
    with tempfile.TemporaryDirectory() as name, fast_bus(LATENCY_SECONDS) as bus:
        short = record(Path(name) / "short.wav", tone(0.5))
        minute = np.resize(speech(), 60 * SAMPLE_RATE)
        long = record(Path(name) / "long.ogg", minute, ENCODINGS["ogg with opus"])
        with contestants(Path(name), bus, short) as them:
            by_concurrency = {each: compare(them, each, short) for each in CONCURRENCIES}
            longer = compare({name: them[name] for name in (OURS, RECEIVES, WORKS)}, OF_THE_TARGET, long)
        limit = ceiling(OF_THE_TARGET, SECONDS, short)
    return _report(by_concurrency, longer, limit)


class Comparison(dict[str, list[Load]]):
    """Results of all contestants, one for each round."""

    def rates(self) -> list[Figures]:
        """Return the answers a second, round by round, for each contestant."""
        return [Figures(name, tuple(each.rate for each in loads)) for name, loads in self.items()]

    def named(self, name: str) -> Figures:
        """Return the rates of one contestant."""
        return Figures(name, tuple(each.rate for each in self[name]))

    def milliseconds(self, name: str, percent: int) -> float:
        """Return a percentile of one contestant's waiting times, over all rounds."""
        return 1000 * percentile([each for one in self[name] for each in one.seconds], percent)


def compare(them: Mapping[str, Service], concurrency: int, recording: Path) -> Comparison:
    """Let the callers upload to each contestant in turn."""
    loads = Comparison({name: [] for name in them})

    def ask(name: str) -> float:
        loads[name].append(load(them[name].url, concurrency, SECONDS, recording))
        return loads[name][-1].rate

    asked: dict[str, Callable[[], float]] = {name: partial(ask, name) for name in them}
    in_turn(asked, ROUNDS)
    return loads


@contextlib.contextmanager
def contestants(folder: Path, bus: str, recording: Path) -> Iterator[dict[str, Service]]:
    """Start all servers; each is idle while another one is measured."""
    environ = {**CREDENTIALS, "AWS_ENDPOINT_URL": bus, "TRANSCRIBER": "canned", "LOG_LEVEL": "INFO"}
    environ["TRANSCRIBER_WAITING_ROOM"] = str(max(CONCURRENCIES))
    answer = folder / "answer.json"
    with contextlib.ExitStack() as stack:

        def bare(what: str) -> Service:
            port = free_port()
            program = (sys.executable, "-m", "benchmarks.bare_app", str(port), str(answer), what)
            return stack.enter_context(server(program, port, environ))

        ours = stack.enter_context(service(environ))
        disabled = stack.enter_context(service({**environ, "EVENT_TRANSPORT": "noop"}))
        fields = {"file": ("a", recording.read_bytes())}
        answer.write_bytes(urllib3.request("POST", f"{ours.url}/batch/process", fields=fields).data)
        yield {
            OURS: ours,
            WITHOUT_EVENTS: disabled,
            RECEIVES: bare("receive"),
            PUBLISHES: bare("publish"),
            WORKS: bare("work"),
        }


def _report(by_concurrency: Mapping[int, Comparison], longer: Comparison, limit: float) -> Report:
    at_target = by_concurrency[OF_THE_TARGET]
    bus_limit = OF_THE_TARGET / LATENCY_SECONDS
    setting = (
        f"Requests a second, median of {ROUNDS} rounds in turn (lowest to highest), over {SECONDS:g} s each; "
        f"`canned` engine, a bus that takes {LATENCY_SECONDS * 1000:.0f} ms."
    )
    limits = (
        f"The callers themselves manage {limit:,.0f} requests a second. A service that waits for that "
        f"bus before it answers can answer {OF_THE_TARGET} callers at most {bus_limit:,.0f} "
        "requests a second."
    )
    tables = [_table(by_concurrency[each], f"{each} callers, {SHORT}") for each in CONCURRENCIES]
    targets = (
        _target(at_target, OURS, RECEIVES, SHORT),
        _target(longer, OURS, RECEIVES, LONG),
        _target(at_target, OURS, WORKS, SHORT),
        _target(longer, OURS, WORKS, LONG),
    )
    return Report(
        (setting, limits),
        (*tables, _table(longer, f"{OF_THE_TARGET} callers, {LONG}")),
        targets,
        (_plot(by_concurrency),),
    )


def _target(comparison: Comparison, ours: str, theirs: str, what: str) -> Target:
    reached = ratios(comparison.named(ours), comparison.named(theirs)).median
    return Target(f"{ours} at {OF_THE_TARGET} callers, of the {theirs} ({what})", reached, at_least=0.85)


def _table(comparison: Comparison, title: str) -> Table:
    rates = compared(comparison.rates(), "requests/s", beside=RECEIVES)
    waits = (tuple(f"{comparison.milliseconds(name, at):,.1f}" for at in (50, 99)) for name in comparison)
    rows = tuple((*row, *wait) for row, wait in zip(rates.rows, waits, strict=True))
    return Table((title, *rates.header[1:], "p50 ms", "p99 ms"), rows)


def _plot(by_concurrency: Mapping[int, Comparison]) -> Plot:
    def rates(name: str) -> Sequence[float]:
        return [comparison.named(name).median for comparison in by_concurrency.values()]

    lines = tuple(Line(name, CONCURRENCIES, rates(name)) for name in by_concurrency[OF_THE_TARGET])
    return Plot("http.svg", "callers at once", "requests a second", lines, logarithmic=True)
