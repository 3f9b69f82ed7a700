"""PostgreSQL engine: time limits on every wait, and a warning about unsafe settings.

Nothing relies on a session, because a pooler in transaction mode (PgBouncer, RDS Proxy) gives each
transaction another one: no prepared statements, no session-level `SET`, no session-level advisory locks, no
LISTEN, no temporary tables, and no startup parameters beyond the driver's own.
"""

import logging

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 3
TCP_USER_TIMEOUT_MS = 10_000
POOL_SECONDS = 5.0

TRANSACTION_LIMITS = {
    "lock_timeout": "3s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}
"""Set in every transaction, and over with it."""

_LIMITS = (f"SET LOCAL {name} = '{value}'" for name, value in TRANSACTION_LIMITS.items())
_BEGIN = "; ".join(("BEGIN", *_LIMITS))

UNSAFE_SETTINGS = ("fsync", "synchronous_commit")
"""If one of them is off, the server confirms commits before they are durable."""

READ_ONLY = "25006"
"""PostgreSQL's code for a write in a read-only transaction: the server has become a replica."""


def postgresql_engine(url: URL) -> Engine:
    """Create an engine that tests connections before use, and drops all of them after a restart.

    It drops them after a fail-over, too: the remaining ones would lead to the former primary while it lives.
    """
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": TCP_USER_TIMEOUT_MS,
            "prepare_threshold": None,  # a prepared statement belongs to a session
            "autocommit": True,  # `_begin` sends BEGIN itself
        },
        pool_pre_ping=True,
        pool_timeout=POOL_SECONDS,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _leave_replica)
    return engine


def warn_about_lost_commits(connection: Connection) -> None:
    """Log a warning if the server, the role or the database has a setting that can lose commits."""
    for setting in UNSAFE_SETTINGS:
        if connection.exec_driver_sql(f"SHOW {setting}").scalar_one() == "off":
            logger.warning(
                "the database may lose confirmed commits: events can be lost",
                extra={"setting": setting, "value": "off"},
            )


def _begin(connection: Connection) -> None:
    """Begin a transaction and set its limits in one round trip."""
    connection.exec_driver_sql(_BEGIN)


def _leave_replica(context: ExceptionContext) -> None:
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True
