"""Runs the benchmarks, one after the other, and writes their figures into RESULTS.md.

    python -m benchmarks [--only NAME] [--dry-run]

SAMPLES=folder measures the word error rate of your own recordings.
"""

import argparse
import importlib
import time

from benchmarks.report import Report, write
from tests.support.harness.loopback import spare_loopback_from_proxies

BENCHMARKS = {
    "start": "benchmarks.start_up",
    "http": "benchmarks.http_path",
    "authentication": "benchmarks.authentication",
    "memory": "benchmarks.memory",
    "health": "benchmarks.responsiveness",
    "listeners": "benchmarks.listeners",
    "console": "benchmarks.console",
    "publishing": "benchmarks.publishing",
    "transports": "benchmarks.transports",
    "backlog": "benchmarks.outbox_backlog",
    "writes": "benchmarks.outbox_writes",
    "outage": "benchmarks.outbox_callers",
    "jobs": "benchmarks.jobs",
    "workers": "benchmarks.job_workers",
    "celery": "benchmarks.celery_rate",
    "dispatch": "benchmarks.job_latency",
    "consuming": "benchmarks.consuming",
    "speech": "benchmarks.speech",
    "overhead": "benchmarks.service_overhead",
    "telemetry": "benchmarks.telemetry",
    "words": "benchmarks.word_error_rate",
    "redaction": "benchmarks.redaction",
    "flows": "benchmarks.flows",
}
"""Modules with a `measure()` that returns a report."""


def main() -> None:
    """Run the selected benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, help="one of them")
    parser.add_argument("--dry-run", action="store_true", help="print, and leave RESULTS.md as it is")
    options = parser.parse_args()
    spare_loopback_from_proxies()
    for name in [options.only] if options.only else BENCHMARKS:
        begun = time.perf_counter()
        report: Report = importlib.import_module(BENCHMARKS[name]).measure()
        print(f"\n## {name} ({time.perf_counter() - begun:.0f} s)\n\n{report.markdown()}", flush=True)
        if not options.dry_run:
            write(name, report)


if __name__ == "__main__":
    main()
