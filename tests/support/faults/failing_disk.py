"""Disk that is full or fails to sync, on request: system calls of a database fail without effect.

The kernel asks another process about these calls (seccomp(2), SECCOMP_RET_USER_NOTIF), which needs neither
root nor strace. It applies to the calling thread, and to the threads and processes that this thread starts.

    python -m tests.support.faults.failing_disk FOLDER ARGUMENTS…

runs `transcripts` on a disk that fails while the folder holds a file with the name of a fault.
"""

import ctypes
import errno
import fcntl
import os
import platform
import signal
import struct
import sys
from enum import StrEnum
from pathlib import Path
from typing import NoReturn


class DiskFault(StrEnum):
    """Kind of disk fault."""

    FULL = "full"
    """Positioned writes, which databases make and logs do not, fail with ENOSPC."""
    NO_SYNC = "no sync"
    """fsync and fdatasync fail with EIO."""


CALLS = {"x86_64": (18, 74, 75), "aarch64": (68, 82, 83)}
"""Numbers of pwrite64, fsync and fdatasync, by machine."""
SECCOMP = {"x86_64": 317, "aarch64": 277}

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
SET_MODE_FILTER, NEW_LISTENER = 1, 1 << 3
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ASK, ALLOW = 0x7FC00000, 0x7FFF0000
RECEIVE, ANSWER = 0xC0502100, 0xC0182101
QUESTION, QUESTION_BYTES = "Q8xi", 80
GO_ON = 1

_LIBC = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def is_possible_here() -> bool:
    """Tell if the kernel supports it and the machine's system calls are known."""
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    return platform.machine() in CALLS and actions.exists() and "user_notif" in actions.read_text()


def fail_on_request(folder: Path) -> None:
    """Let calls of this thread and its children fail while the folder contains a file named like their fault.

    Call it before other threads start. A process answers, as SQLite may hold the GIL while syncing.
    """
    listener = _ask()
    if os.fork() == 0:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _answer(listener, folder)
    os.close(listener)


def _ask() -> int:
    calls = CALLS[platform.machine()]
    instructions = (
        (LOAD, 0, 0, 0),
        *((JUMP_IF_EQUAL, len(calls) - index, 0, call) for index, call in enumerate(calls)),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ASK),
    )
    program = _Program(len(instructions), b"".join(struct.pack("HBBI", *each) for each in instructions))
    _LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    number = SECCOMP[platform.machine()]
    listener = int(_LIBC.syscall(number, SET_MODE_FILTER, NEW_LISTENER, ctypes.byref(program)))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "cannot install the seccomp filter")
    return listener


def _answer(listener: int, folder: Path) -> NoReturn:
    write, *_ = CALLS[platform.machine()]
    while True:
        question = bytearray(QUESTION_BYTES)
        try:
            fcntl.ioctl(listener, RECEIVE, question)
            identity, call = struct.unpack_from(QUESTION, question)
            error = _error(folder, is_write=call == write)
            answer = struct.pack("QqiI", identity, 0, -error, 0 if error else GO_ON)
            fcntl.ioctl(listener, ANSWER, answer)
        except FileNotFoundError:  # the calling process was killed meanwhile
            continue


def _error(folder: Path, *, is_write: bool) -> int:
    fault, error = (DiskFault.FULL, errno.ENOSPC) if is_write else (DiskFault.NO_SYNC, errno.EIO)
    return error if (folder / fault).exists() else 0


def main(folder: str, *arguments: str) -> None:
    """Run `transcripts` on a failing disk."""
    from entrypoints.cli import main as transcripts  # noqa: PLC0415 - the tests of the database do not need it

    fail_on_request(Path(folder))
    transcripts.main(arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
