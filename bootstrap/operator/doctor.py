"""Checks of `transcripts doctor`: environment, database, route; they create, migrate and send nothing."""

import logging
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import boto3

from adapters.speech.decoding.versions import MENDED, ffmpeg_version, has_known_holes
from adapters.sql.database import Database
from adapters.sql.durability import DurabilityReport, durability_report
from adapters.sql.engines.factory import engine_for
from adapters.sql.engines.sqlite import has_wal_reset_race, library
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.tables import SCHEMA_REVISION
from bootstrap.aws.clients import credentials_found
from bootstrap.capacity import capacity
from bootstrap.container import Container
from bootstrap.runtime.outbox import sqlite_file
from bootstrap.settings import GIB, EventTransport
from domain.model.errors import TranscriptionServiceError
from domain.model.outbox import OutboxCounts
from domain.model.route.route import Finding, RouteComponent

logger = logging.getLogger(__name__)


class CheckResult(StrEnum):
    """Verdict of a check."""

    OK = "ok"
    WARNING = "warning"
    """Works, but needs attention."""
    WRONG = "wrong"
    """Breaks the handling of recordings or events."""


class Check(NamedTuple):
    """One check and its result; contains no secret."""

    name: str
    verdict: CheckResult
    found: str  # the observed state
    remedy: str = ""  # what to do; empty where nothing is to be done


def examine(container: Container) -> tuple[Check, ...]:
    """Run all checks; an error fails its own check only."""
    return tuple(check for name, run in _CHECKS.items() for check in _guarded(name, run, container))


def _guarded(name: str, run: Callable[[Container], Iterable[Check]], container: Container) -> Iterator[Check]:
    try:
        yield from run(container)
    except (TranscriptionServiceError, OSError) as error:
        yield Check(name, CheckResult.WRONG, str(error))
    except Exception as error:
        logger.exception(
            "check failed with an unexpected error",
            extra={"check": name, "error_type": type(error).__name__},
        )
        yield Check(name, CheckResult.WRONG, f"not checked: {type(error).__name__}", "See the log.")


def _python(_container: Container) -> Iterator[Check]:
    yield Check("python", CheckResult.OK, platform.python_version())


def _boto3(_container: Container) -> Iterator[Check]:
    yield Check("boto3", CheckResult.OK, boto3.__version__)


def _sqlite(_container: Container) -> Iterator[Check]:
    found = f"{library.sqlite_version} of {library.__name__.partition('.')[0]}"
    if has_wal_reset_race(library.sqlite_version_info):
        found += ": its WAL can lose commits, so the slower rollback journal is used"
        yield Check(
            "sqlite",
            CheckResult.WARNING,
            found,
            "Use SQLite 3.51.3 or newer: on x86-64, pysqlite3 has one.",
        )
    else:
        yield Check("sqlite", CheckResult.OK, f"{found}, without the WAL-reset race")


def _ffmpeg(_container: Container) -> Iterator[Check]:
    if find_spec("av") is None:
        yield Check("ffmpeg", CheckResult.OK, "PyAV is not installed: this machine cannot transcribe")
        return
    version = ffmpeg_version()
    if has_known_holes(version):
        remedy = f"Use Python 3.12 or newer, where PyAV has FFmpeg {MENDED} or newer."
        yield Check(
            "ffmpeg", CheckResult.WARNING, f"{version}: recordings can reach known vulnerabilities", remedy
        )
    else:
        yield Check("ffmpeg", CheckResult.OK, version)


def _workers(container: Container) -> Iterator[Check]:
    workers, (cores, memory) = container.settings().transcriber_workers, capacity()
    yield Check(
        "workers", CheckResult.OK, f"{workers}, for {cores:g} cores and {memory / GIB:.1f} GiB of memory"
    )


def _database(container: Container) -> Iterator[Check]:
    settings = container.settings()
    url, file = settings.database_url, sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        found = f"{file.absolute()} does not exist yet"
        yield Check("database", CheckResult.WARNING, found, "The first start of the service creates it.")
        return
    database = Database(engine_for(url, on_network=settings.database_allow_network_file_system))
    try:
        condition = durability_report(database)
        yield _durability("SQLite" if database.is_sqlite else "PostgreSQL", condition)
        if condition.schema == SCHEMA_REVISION:
            yield _outbox(SqlOutbox(database).counts())
        else:
            yield _schema(condition.schema)
    finally:
        database.close()


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


def _free_space(container: Container) -> Iterator[Check]:
    settings = container.settings()
    yield _disk_space("space for uploads", settings.spool_dir, settings.min_free_bytes, CheckResult.WRONG)
    file = sqlite_file(settings.database_url)
    if file is not None:
        yield _disk_space("space for events", file.parent, settings.min_free_bytes, CheckResult.WARNING)


def _disk_space(name: str, folder: Path, floor: int, if_less: CheckResult) -> Check:
    """Check the nearest existing parent of a folder that the start of the service creates."""
    place = folder.absolute()
    existing = next(each for each in (place, *place.parents) if each.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        remedy = "Grant this user write access, or set another folder (DATA_DIR)."
        return Check(
            name, CheckResult.WRONG, f"{existing} is not a folder that this user can write to", remedy
        )
    disk = os.statvfs(existing)
    free = disk.f_bavail * disk.f_frsize
    found = f"{free / GIB:.1f} GiB free at {place}"
    if disk.f_files and not disk.f_favail:  # some file systems do not count files, and report 0
        return Check(name, if_less, f"{found}, and no inode for another file", "Remove files there.")
    if free >= floor:
        return Check(name, CheckResult.OK, found)
    return Check(name, if_less, f"{found}, less than MIN_FREE_BYTES ({floor})", "Free disk space there.")


def _credentials(container: Container) -> Iterator[Check]:
    transport = container.settings().event_transport
    if credentials_found():
        yield Check("credentials", CheckResult.OK, "found")
    elif transport in (EventTransport.MEMORY, EventTransport.NOOP):
        yield Check("credentials", CheckResult.OK, f"none, and EVENT_TRANSPORT={transport} needs none")
    else:
        verdict = CheckResult.WRONG if transport is EventTransport.EVENTBRIDGE else CheckResult.WARNING
        remedy = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role."
        yield Check("credentials", verdict, "none found: no event reaches a bus", remedy)


def _route(container: Container) -> Iterator[Check]:
    transport, names = container.event_transport(), container.route_names()
    if transport is not EventTransport.EVENTBRIDGE:
        yield Check("route", CheckResult.OK, f"not checked: events go to {transport}")
        return
    found = f"bus {names.bus}, rule {names.rule} and its target {names.queue} are as provisioned"
    yield from _checks(container.infrastructure().diagnose(), Check("route", CheckResult.OK, found))


def _payload_bucket(container: Container) -> Iterator[Check]:
    transport, store = container.event_transport(), container.payloads()
    name, bucket = RouteComponent.PAYLOAD_BUCKET.value, container.settings().payload_bucket
    if store is None:
        found = "PAYLOAD_BUCKET is not set: a transcript that is too large for an event is parked"
        yield Check(name, CheckResult.OK, found)
    elif transport is not EventTransport.EVENTBRIDGE:
        yield Check(name, CheckResult.OK, f"not checked: events go to {transport}")
    else:
        found = f"{bucket} exists, and seems to accept transcripts (none was stored to try)"
        yield from _checks(store.diagnose(), Check(name, CheckResult.OK, found))


def _checks(findings: Sequence[Finding], nothing_wrong: Check) -> Iterator[Check]:
    if not findings:
        yield nothing_wrong
    for finding in findings:
        verdict = CheckResult.WRONG if finding.proven else CheckResult.WARNING
        yield Check(
            finding.component.value, verdict, f"{finding.problem}: {finding.evidence}", finding.remedy
        )


_CHECKS: dict[str, Callable[[Container], Iterable[Check]]] = {
    "python": _python,
    "boto3": _boto3,
    "sqlite": _sqlite,
    "ffmpeg": _ffmpeg,
    "workers": _workers,
    "database": _database,
    "space": _free_space,
    "credentials": _credentials,
    "route": _route,
    "payload bucket": _payload_bucket,
}
