"""What a worker process may not do. Uploads are hostile, and decoders have holes.

Applied by the worker to itself before it loads anything that touches a recording.
"""

import ctypes
import os
import resource
import signal
import time
from collections.abc import Mapping

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

MAX_ADDRESS_SPACE_BYTES = 3 * 2**30
MAX_OPEN_FILES = 64
NICENESS = 10
"""Workers keep every core busy for minutes; whoever answers callers goes first."""

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "LD_LIBRARY_PATH")


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker: no credentials, no home folder, one thread a numeric library."""
    passed_on = {name: environ[name] for name in _PASSED_ON if name in environ}
    return {**passed_on, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def confine() -> None:
    """Give up what decoding and recognition do not need: privileges, network, files, memory, priority.

    Best effort for the network, which needs a kernel that lets the process into a namespace of its own;
    everything else works on every Linux.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _leave_the_network(libc)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE_BYTES, MAX_ADDRESS_SPACE_BYTES))
    os.nice(NICENESS)


def forbid_writing() -> None:
    """Let no file grow from now on. Not part of `confine`, because Python stores the bytecode it compiles."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def allow_cpu_seconds(seconds: float) -> None:
    """Let this process use so much more processor time; the kernel kills it beyond (SIGXCPU)."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, hard))


def _leave_the_network(libc: ctypes.CDLL) -> None:
    """Enter a network namespace without any interface; as root directly, else through a user namespace."""
    if libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
