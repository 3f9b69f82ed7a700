"""Chaos run of workers with real leases: killed ones, and one that is stopped for longer than its lease.

    python -m chaos.takeovers [--rounds 3]

Takes three minutes and more. Exits with code 1 if a job is taken over later than after a minute; a job with
another number of events than one, or an old worker that writes, ends the run at once.
"""

import argparse
import os
import sys
import time

from chaos.options import say
from tests.support.faults.ended_jobs import TAKEOVER_SECONDS
from tests.support.faults.held_engine import held_engine
from tests.support.faults.servers import CREDENTIALS
from tests.support.faults.takeovers import check_stopped_worker, own_site, takeover_seconds
from tests.support.harness.loopback import spare_loopback_from_proxies

STOPPED_SECONDS = 90.0
"""Longer than a lease."""


def main() -> int:
    """Print a line for each takeover."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often to kill a worker")
    rounds = parser.parse_args().rounds
    os.environ.update(CREDENTIALS)
    spare_loopback_from_proxies()
    seconds = [_takeover() for _ in range(rounds)]
    with own_site() as site, held_engine() as engine:
        check_stopped_worker(site, engine, lambda: time.sleep(STOPPED_SECONDS))
    say(f"SIGSTOP for {STOPPED_SECONDS:.0f} s: done by another worker, one event, nothing written afterwards")
    return 1 if max(seconds, default=0.0) > TAKEOVER_SECONDS else 0


def _takeover() -> float:
    with own_site() as site, held_engine() as engine:
        seconds = takeover_seconds(site, engine)
    say(f"kill -9: taken over after {seconds:.1f} s")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
