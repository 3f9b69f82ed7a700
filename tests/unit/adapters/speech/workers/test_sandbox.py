"""Sandbox: the attacks that a compromised worker can still make on its service."""

import json
import os
import socket
import subprocess
import sys

import pytest

from adapters.speech.workers import sandbox

pytestmark = pytest.mark.process

PROGRAM = """
import ctypes, json, os, socket, sys
from adapters.speech.workers.sandbox import PR_SET_DUMPABLE, confine, forbid_inspection

"idna".encode("idna")  # loaded while this user may
user, port, is_confined = map(int, sys.argv[1:])
libc = ctypes.CDLL(None, use_errno=True)
if os.geteuid() != user:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as after a start under this user
if is_confined:
    forbid_inspection()
service = f"/proc/{os.getpid()}"

def environment(): return open(f"{service}/environ", "rb").read()
def memory(): return open(f"{service}/mem", "rb").fileno() > 0
def open_files(): return os.readlink(f"{service}/fd/1")
def network(): return libc.setns(os.open(f"{service}/ns/net", os.O_RDONLY), 0) == 0
def root_network(): return libc.setns(os.open("/proc/1/ns/net", os.O_RDONLY), 0) == 0
def connect(): return socket.create_connection(("127.0.0.1", port), 1)
def more_memory(): return bytearray(2 * 2**30)

def works(attempt):
    try:
        return bool(attempt())
    except (OSError, MemoryError):
        return False

if os.fork() == 0:
    if is_confined:
        confine(2**30)
    names = ("environment", "memory", "open_files", "network", "root_network", "connect", "more_memory")
    worked = [name for name in names if works(globals()[name])]
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    print(json.dumps([worked, {name: int(status[name], 16) for name in status if name.startswith("Cap")}]))
else:
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""

USERS = (0, 65534) if os.geteuid() == 0 else (os.geteuid(),)


def _attempts(user: int, *, confined: bool) -> tuple[list[str], dict[str, int]]:
    """Attack a service of this user from a child process; return what works, and its capabilities."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        arguments = (str(user), str(listener.getsockname()[1]), str(int(confined)))
        answer = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
            env={"PYTHONPATH": ":".join(filter(None, sys.path)), "AWS_SECRET_ACCESS_KEY": "opensesame"},
        )
    worked, capabilities = json.loads(answer.stdout)
    del capabilities["CapBnd"]  # the bound of programs with more rights; there are none
    return worked, capabilities


@pytest.mark.parametrize("user", USERS)
def test_a_worker_reaches_neither_the_service_nor_the_network(user: int) -> None:
    worked, capabilities = _attempts(user, confined=True)

    assert [attempt for attempt in worked if attempt != "connect"] == []
    assert "connect" not in worked or user != 0  # for other users the kernel decides
    assert capabilities == {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapAmb": 0}


@pytest.mark.parametrize("user", USERS)
def test_without_the_sandbox_it_would_reach_them(user: int) -> None:
    worked, _ = _attempts(user, confined=False)

    assert {"environment", "memory", "open_files", "connect"} <= set(worked)


def test_what_the_kernel_refuses_stops_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "PR_SET_DUMPABLE", -1)

    with pytest.raises(OSError, match="could not be confined: Invalid argument"):
        sandbox.forbid_inspection()


def test_a_process_that_is_gone_used_no_processor_time() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()

    assert sandbox.cpu_seconds_used(gone.pid) == 0.0
