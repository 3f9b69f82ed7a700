"""What it costs to lose nothing: the backlog, the durable write, and the callers while the bus is down.

python -m benchmarks.outbox [--events 20000] [--rounds 3]
"""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks import outbox_backlog, outbox_callers, outbox_writes
from tests.databases import postgresql_server

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-of-the-benchmark"}


def main() -> None:
    """Measure and print, one table after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000, help="of the backlog")
    parser.add_argument("--rounds", type=int, default=3, help="of the backlog, interleaved")
    parser.add_argument("--writes", type=int, default=2_000)
    parser.add_argument("--requests", type=int, default=300)
    options = parser.parse_args()
    os.environ.update(CREDENTIALS)
    with tempfile.TemporaryDirectory() as name, postgresql_server(Path(name)) as postgresql:
        outbox_backlog.measure(Path(name), postgresql, options.events, options.rounds)
        outbox_writes.measure(Path(name), postgresql, options.writes)
    outbox_callers.measure(CREDENTIALS, options.requests)


if __name__ == "__main__":
    main()
