"""Sandbox of worker processes: uploads are hostile, and decoders have vulnerabilities.

A worker applies it to itself before it loads code that reads a recording. The service, which runs as the same
user, uses `forbid_inspection` as well.
"""

import ctypes
import os
import resource
import signal
import time
from collections.abc import Mapping
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITIES = 64

MAX_OPEN_FILES = 64
CPU_SECONDS_OF_A_LIFE = 3600.0
"""Processor time after which a worker is replaced between two recordings."""
NICENESS = 10
"""Lower priority than the service: workers keep all cores busy for minutes while it answers callers."""

_LIBC = ctypes.CDLL(None, use_errno=True)
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
_CODE = Path(__file__).parents[3]


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Build the environment of a worker: no credentials, no home folder, one thread per numeric library.

    PYTHONPATH names the folder of this code, which may not be installed: a worker runs in another folder.
    """
    passed_on = {name: environ[name] for name in _PASSED_ON if name in environ}
    path = os.pathsep.join(filter(None, (str(_CODE), environ.get("PYTHONPATH"))))
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**passed_on, **threads, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def forbid_inspection() -> None:
    """Keep other processes of this user from reading this one's memory and environment (prctl(2)).

    Raises:
        OSError: the kernel refuses.
    """
    _prctl(PR_SET_DUMPABLE, 0)


def confine(address_space_bytes: int | None) -> None:
    """Drop what decoding and recognition do not need: privileges, network, files, memory, priority.

    Best effort for the network, which needs a kernel that grants the process a new namespace; the rest works
    on every Linux.

    Raises:
        OSError: the kernel refuses a restriction other than the network's.
    """
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _leave_the_network()
    _drop_capabilities()
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    forbid_inspection()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
    if address_space_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes, address_space_bytes))
    os.nice(NICENESS)


def forbid_writing() -> None:
    """Forbid writing to files. Not part of `confine`, because Python stores the bytecode that it compiles."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def allow_cpu_seconds(total: float, *, longest: float) -> None:
    """Grant this process so much processor time since its start; the kernel kills it beyond (SIGXCPU).

    The first call also sets the ceiling of all later calls, which the process itself cannot raise: its life
    and the `longest` recording, both in seconds of processor time.
    """
    _, ceiling = resource.getrlimit(resource.RLIMIT_CPU)
    if ceiling == resource.RLIM_INFINITY:
        ceiling = int(CPU_SECONDS_OF_A_LIFE + longest) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (min(int(total) + 1, ceiling), ceiling))


def cpu_seconds_used(pid: int) -> float:
    """Return the processor time used by another process; 0 if it does not exist (clock_getcpuclockid(3))."""
    clock = ctypes.c_int()
    if _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)) != 0:
        return 0.0
    try:
        return time.clock_gettime(clock.value)
    except OSError:  # the process ended meanwhile
        return 0.0


def _leave_the_network() -> None:
    """Enter a network namespace without any interface; as root directly, else through a user namespace."""
    if _LIBC.unshare(CLONE_NEWNET) != 0:
        _LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _drop_capabilities() -> None:
    """Drop all capabilities, also those of root (capabilities(7))."""
    for capability in range(CAPABILITIES):
        _LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # a process that may not do this has none
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    _check(_LIBC.capset(header, (ctypes.c_uint32 * 6)()))


def _prctl(option: int, value: int) -> None:
    _check(_LIBC.prctl(option, value, 0, 0, 0))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"The worker could not be confined: {os.strerror(number)}")
