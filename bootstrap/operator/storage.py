"""Checks of the database, and of the disks that the service writes to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.sql.database import Database
from adapters.sql.durability import DurabilityReport, durability_report
from adapters.sql.engines.factory import engine_for
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.tables import SCHEMA_REVISION
from bootstrap.container import Container
from bootstrap.disk_space import existing_parent, free_bytes, shortage
from bootstrap.factories.database import sqlite_file
from bootstrap.operator.examination import Check, CheckResult
from bootstrap.settings import Settings
from bootstrap.settings.service import GIB
from domain.model.outbox import OutboxCounts


def database(container: Container) -> Iterator[Check]:
    """Check that the database keeps what it confirms, and how many events wait; change nothing."""
    settings = container.settings()
    file = sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        found = f"{file.absolute()} does not exist yet"
        yield Check("database", CheckResult.WARNING, found, "The first start of the service creates it.")
        return
    with as_it_is(settings) as opened:
        condition = durability_report(opened)
        yield _durability("SQLite" if opened.is_sqlite else "PostgreSQL", condition)
        if condition.schema == SCHEMA_REVISION:
            yield _outbox(SqlOutbox(opened).counts())
        else:
            yield _schema(condition.schema)


@contextmanager
def as_it_is(settings: Settings) -> Iterator[Database]:
    """Open a database that exists, without a migration."""
    opened = Database(
        engine_for(settings.database_url, on_network=settings.database_allow_network_file_system)
    )
    try:
        yield opened
    finally:
        opened.close()


def _durability(product: str, condition: DurabilityReport) -> Check:
    found = ", ".join(f"{name}={value}" for name, value in condition.settings.items())
    if not condition.unsafe:
        return Check("database", CheckResult.OK, f"{product}: {found}")
    remedy = f"Switch on {' and '.join(condition.unsafe)}: confirmed commits can be lost."
    return Check("database", CheckResult.WRONG, f"{product}: {found}", remedy)


def _schema(found: str | None) -> Check:
    seen = f"the schema is {found or 'not created yet'}; this version of the service needs {SCHEMA_REVISION}"
    remedy = "The next start of the service migrates it; a newer schema needs a newer service."
    return Check("outbox", CheckResult.WARNING, seen, remedy)


def _outbox(counts: OutboxCounts) -> Check:
    seconds = counts.oldest_waiting_seconds
    oldest = f" (the oldest for {seconds:.0f} s)" if counts.waiting else ""
    found = f"{counts.waiting} waiting{oldest}, {counts.rejected} rejected, {counts.published} published"
    remedies = []
    if counts.is_late:
        remedies.append("The relay does not publish them: check that it runs, and read its log.")
    if counts.rejected:
        remedies.append("See `transcripts outbox list --state rejected`.")
    return Check("outbox", CheckResult.WARNING if remedies else CheckResult.OK, found, " ".join(remedies))


def free_space(container: Container) -> Iterator[Check]:
    """Check the disks of uploads and of the database."""
    settings = container.settings()
    yield disk_space("space for uploads", settings.spool_dir, settings.min_free_bytes)
    file = sqlite_file(settings.database_url)
    if file is not None:
        yield disk_space("space for events", file.parent, settings.min_free_bytes)


def disk_space(name: str, folder: Path, floor: int) -> Check:
    """Check that a folder can be written to, and that its disk has more than `floor` bytes."""
    existing = existing_parent(folder)
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        remedy = "Grant this user write access, or set another folder (DATA_DIR)."
        return Check(
            name, CheckResult.WRONG, f"{existing} is not a folder that this user can write to", remedy
        )
    found = f"{free_bytes(folder) / GIB:.1f} GiB free at {folder.absolute()}"
    lack = shortage(folder, floor)
    if lack is None:
        return Check(name, CheckResult.OK, found)
    remedy = "Remove files there: uploads are answered 507."
    return Check(name, CheckResult.WRONG, f"{found}: {lack}", remedy)
