"""PostgreSQL: limits on everything that could wait for ever, and a look at whether it keeps its word."""

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
"""With one of them off, the server says "committed" before it is true."""


READ_ONLY = "25006"
"""PostgreSQL's code for a write where only reading is possible: on what has become a replica."""


def postgresql_engine(url: URL) -> Engine:
    """An engine that notices dead connections before they are used, and drops all of them after a restart.

    So it does after a fail-over: those that are left would lead to the former primary as long as it lives.
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
    """Say so where the server may forget what it has confirmed; a role or a database can be set that way."""
    for setting in UNSAFE_SETTINGS:
        if connection.exec_driver_sql(f"SHOW {setting}").scalar_one() == "off":
            logger.warning(
                "the database may lose what it has confirmed: events can be lost",
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
