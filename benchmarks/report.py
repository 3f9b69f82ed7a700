"""Report of a benchmark: printed, and written into its section of RESULTS.md."""

import os
import platform
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness import Figures, ratios

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "RESULTS.md"
PACKAGES = ("boto3", "fastapi", "uvicorn", "sqlalchemy", "av", "ctranslate2", "faster-whisper")


class Table(NamedTuple):
    """Rows of figures; the first column names the contestant."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> Iterator[str]:
        """Format the table as Markdown."""
        for row in (self.header, ("---",) * len(self.header), *self.rows):
            yield f"| {' | '.join(row)} |"


def compared(figures: Sequence[Figures], unit: str, *, beside: str, digits: int = 0) -> Table:
    """Make a row for each contestant, with its ratio to `beside`, round by round."""
    (theirs,) = (each for each in figures if each.name == beside)
    rows = ((each.name, each.shown(digits), ratios(each, theirs).shown(2)) for each in figures)
    return Table(("what", unit, f"of {beside}"), tuple(rows))


class Target(NamedTuple):
    """Wanted and reached value; both are ratios."""

    what: str
    reached: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        """Return true if the target was reached."""
        enough = self.at_least is None or self.reached >= self.at_least
        return enough and (self.at_most is None or self.reached <= self.at_most)

    def line(self) -> str:
        """Format the target as a line of the report."""
        bound = f"at least {self.at_least}" if self.at_most is None else f"at most {self.at_most}"
        return f"- {self.what}: {self.reached:.2f}, wanted {bound}: {'met' if self.is_met else '**missed**'}"


class Line(NamedTuple):
    """Line of a plot."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


class Plot(NamedTuple):
    """Plot of lines, drawn as SVG."""

    file: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    logarithmic: bool = False

    def draw(self, folder: Path) -> Path:
        """Write the file; equal figures give equal bytes."""
        import matplotlib as mpl  # noqa: PLC0415 - slow to import, and only needed here
        from matplotlib.figure import Figure  # noqa: PLC0415

        mpl.rcParams["svg.hashsalt"] = self.file
        figure = Figure(figsize=(6, 3.5), layout="constrained")
        axes = figure.subplots()
        for line in self.lines:
            axes.plot(line.x, line.y, marker="o", label=line.name)
        axes.set(xlabel=self.x_label, ylabel=self.y_label)
        if self.logarithmic:
            axes.set(xscale="log", yscale="log")
        else:
            axes.set_ylim(bottom=0)
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize="small")
        path = folder / self.file
        figure.savefig(path, format="svg", metadata={"Date": None})
        return path


class Report(NamedTuple):
    """Result of one benchmark: lines of text, tables, targets, plots, in this order."""

    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    targets: tuple[Target, ...] = ()
    plots: tuple[Plot, ...] = ()

    def markdown(self) -> str:
        """Format the text between the markers of the benchmark in RESULTS.md."""
        blocks = [_machine(), *self.notes, *("\n".join(table.lines()) for table in self.tables)]
        if self.targets:
            blocks.append("\n".join(target.line() for target in self.targets))
        blocks += [f"![{plot.y_label}](plots/{plot.file})" for plot in self.plots]
        return "\n\n".join(blocks)


def write(name: str, report: Report, results: Path = RESULTS) -> None:
    """Replace the figures between their markers in RESULTS.md; the text outside of the markers stays.

    Raises:
        LookupError: there are no markers of this name.
    """
    text = results.read_text(encoding="utf-8")
    section = re.compile(rf"(<!-- figures: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
    if not section.search(text):
        raise LookupError(f"{results} has no section '<!-- figures: {name} -->' … '<!-- end: {name} -->'")
    figures = report.markdown()
    results.write_text(section.sub(lambda found: f"{found[1]}{figures}\n{found[2]}", text), encoding="utf-8")
    folder = results.parent / "plots"
    folder.mkdir(exist_ok=True)
    for plot in report.plots:
        plot.draw(folder)


def _machine() -> str:
    """Format date, machine and versions."""
    cores, moment = len(os.sched_getaffinity(0)), datetime.now(UTC)
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return f"*{moment:%Y-%m-%d}, {cores} cores, Python {platform.python_version()}, {versions}*"
