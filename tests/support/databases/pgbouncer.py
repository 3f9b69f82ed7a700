"""PgBouncer in front of the PostgreSQL of the tests, in transaction mode and with few sessions."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.support.databases.databases import PostgreSqlServer
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until

SESSIONS = 2
"""Sessions with the server for each database, which all clients share."""

CONFIGURATION = """
[databases]
* = host={socket_folder} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 200
"""


class PgBouncer:
    """The pooler, at a free port of this machine."""

    def __init__(self, server: PostgreSqlServer, port: int) -> None:
        self._server = server
        self.port = port

    def new_url(self) -> str:
        """Create an empty database and return its URL behind the pooler."""
        direct = make_url(self._server.new_url())
        behind = direct.set(host="127.0.0.1", port=self.port, query={})
        return behind.render_as_string(hide_password=False)

    def listens(self) -> bool:
        """Tell if it accepts connections."""
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False


@contextmanager
def pgbouncer_before(server: PostgreSqlServer) -> Iterator[PgBouncer]:
    """Start the installed PgBouncer as the server's user, since it refuses to run as root."""
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder, port, user = Path(name), free_port(), server.owner
        file = folder / "pgbouncer.ini"
        file.write_text(_configuration(server, port), encoding="utf-8")
        if user:
            shutil.chown(folder, user)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([_program(), file], user=user, cwd="/", stdout=log, stderr=log)
        try:
            pooler = PgBouncer(server, port)
            wait_until(pooler.listens)
            yield pooler
        finally:
            process.terminate()
            process.wait()


def _configuration(server: PostgreSqlServer, port: int) -> str:
    url = make_url(server.url("postgres"))
    return CONFIGURATION.format(
        socket_folder=url.query["host"], user=url.username, port=port, sessions=SESSIONS
    )


def _program() -> str:
    """Find PgBouncer, or skip the test on a developer's machine."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        missing = "PgBouncer is not installed: apt install pgbouncer (Debian, Ubuntu)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return program
