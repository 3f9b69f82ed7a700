"""Ports for servers of other processes, which a test must name before they listen."""

import itertools
import os
import socket
from collections.abc import Iterator

LOWEST = 10_000
PORTS_A_PROCESS = 2_000
PROCESSES = 11
"""Processes of one test run whose ports differ. All lie below those of outgoing connections (from 32,768)."""


def _own_ports() -> Iterator[int]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw10").removeprefix("gw")
    lowest = LOWEST + int(worker) % PROCESSES * PORTS_A_PROCESS
    highest = lowest + PORTS_A_PROCESS
    first = lowest + os.getpid() % PORTS_A_PROCESS  # another run may be going on
    return itertools.cycle([*range(first, highest), *range(lowest, first)])


_ports = _own_ports()


def free_port() -> int:
    """Return a free port of the loopback interface that no other process of the test run asks for.

    A port that the kernel chooses may be any outgoing connection's before the server listens on it.
    """
    return next(port for port in _ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
