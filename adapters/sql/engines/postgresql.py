"""PostgreSQL engine: time limits on every wait, and a warning about unsafe settings."""

import logging

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 3
TCP_USER_TIMEOUT_MS = 10_000
POOL_SECONDS = 5.0

SESSION_LIMITS = {
    "lock_timeout": "3s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}
"""Set on every connection."""

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
        connect_args={"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": TCP_USER_TIMEOUT_MS},
        pool_pre_ping=True,
        pool_timeout=POOL_SECONDS,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _limit)
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


def _limit(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("; ".join(f"SET {name} = '{value}'" for name, value in SESSION_LIMITS.items()))
    cursor.close()
    connection.commit()


def _leave_replica(context: ExceptionContext) -> None:
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True
