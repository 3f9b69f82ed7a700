"""Fuzz run: recordings of every accepted format with mutated headers, decoded by real worker processes.

    python -m chaos.fuzz [--cases 20000] [--seed N] [--only NAME] [--keep FOLDER]

Each case must be decoded, or refused with an error of its own, soon. Exits with code 1 if a worker crashed,
hung, used up its processor time, or met an unexpected exception: a caller would have been answered 500.
"""

import argparse
import os
import random
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from chaos.fuzzed_worker import FINDINGS, FuzzedWorker, Outcome
from chaos.mutations import mutated
from tests.support.samples.handmade import accepted

MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
SECONDS_OF_SOUND = 0.3


def main() -> int:
    """Print a line for each format as soon as it is finished."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20_000, help="mutated recordings of each format")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="seed of the mutations")
    parser.add_argument("--only", help="formats whose name contains this text")
    parser.add_argument("--keep", type=Path, help="folder for the recordings that failed")
    options = parser.parse_args()
    found, began = 0, time.monotonic()
    _say(f"seed {options.seed}\n{'format':26} {'cases':>6} {'decoded':>8} {'refused':>8} {'failed':>7}")
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as folder:
        for name, results in fuzz(
            Path(folder), options.cases, options.seed, options.only or "", options.keep
        ):
            failed = sum(results[outcome] for outcome in FINDINGS)
            found += failed
            figures = f"{results[Outcome.DECODED]:>8} {results[Outcome.REFUSED]:>8} {failed:>7}"
            _say(f"{name:26} {results.total():>6} {figures}")
    _say(f"{found} failures in {time.monotonic() - began:.0f} s")
    return 1 if found else 0


def fuzz(
    folder: Path, cases: int, seed: int, only: str = "", keep: Path | None = None
) -> Iterator[tuple[str, Counter[Outcome]]]:
    """Decode mutated recordings of each format; yield how many of them ended how."""
    samples = dict(accepted(folder, SECONDS_OF_SOUND))
    with FuzzedWorker() as worker:
        for name in samples:
            if only in name:
                yield name, _fuzz_one(worker, folder / "case", samples, name, cases, seed, keep)


def _fuzz_one(
    worker: FuzzedWorker,
    case: Path,
    samples: dict[str, bytes],
    name: str,
    cases: int,
    seed: int,
    keep: Path | None,
) -> Counter[Outcome]:
    results: Counter[Outcome] = Counter()
    for number in range(cases):
        chance = random.Random(f"{seed}/{name}/{number}")  # noqa: S311 - repeatable, not secret
        case.write_bytes(mutated(samples[name], chance, tuple(samples.values())))
        outcome = worker.decode(case)
        results[outcome] += 1
        if outcome in FINDINGS:
            _report(case, f"{name} {number}: {outcome.value}, {worker.detail}", keep)
    return results


def _report(case: Path, message: str, keep: Path | None) -> None:
    _say(message)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        content = case.read_bytes()
        (keep / f"{zlib.crc32(content):08x}").write_bytes(content)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
