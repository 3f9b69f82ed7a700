"""What the service runs on here, and what is wrong with it; nothing is made, migrated or sent for it."""

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
from adapters.sql.durability import DurabilityReport, condition_of
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

LATE_SECONDS = 300.0
"""An event that waits for longer was not held up by an accident or two."""


class CheckResult(StrEnum):
    """What is to be thought of something."""

    OK = "ok"
    WARNING = "warning"
    """It works, and should be looked after."""
    WRONG = "wrong"
    """Recordings or events will not be handled as promised."""


class Check(NamedTuple):
    """One thing that was looked at; nothing in it is a secret.

    Attributes:
        found: what was seen there.
        remedy: what to do about it; empty where nothing is to be done.
    """

    name: str
    verdict: CheckResult
    found: str
    remedy: str = ""


def examine(container: Container) -> tuple[Check, ...]:
    """Look at everything; what cannot be looked at is told as such, and does not keep the rest from it."""
    return tuple(check for name, look in _LOOKS.items() for check in _carefully(name, look, container))


def _carefully(
    name: str, look: Callable[[Container], Iterable[Check]], container: Container
) -> Iterator[Check]:
    try:
        yield from look(container)
    except (TranscriptionServiceError, OSError) as error:
        yield Check(name, CheckResult.WRONG, str(error))
    except Exception as error:
        logger.exception("a check broke down", extra={"check": name, "error_type": type(error).__name__})
        yield Check(
            name, CheckResult.WRONG, f"it could not be looked at: {type(error).__name__}", "See the log."
        )


def _python(_container: Container) -> Iterator[Check]:
    yield Check("python", CheckResult.OK, platform.python_version())


def _boto3(_container: Container) -> Iterator[Check]:
    yield Check("boto3", CheckResult.OK, boto3.__version__)


def _sqlite(_container: Container) -> Iterator[Check]:
    found = f"{library.sqlite_version} of {library.__name__.partition('.')[0]}"
    if has_wal_reset_race(library.sqlite_version_info):
        found += ": its WAL can lose commits, so that the slower rollback journal is used"
        yield Check(
            "sqlite",
            CheckResult.WARNING,
            found,
            "Use an SQLite from 3.51.3 on: on x86-64, pysqlite3 brings one.",
        )
    else:
        yield Check("sqlite", CheckResult.OK, f"{found}, without the WAL-reset race")


def _ffmpeg(_container: Container) -> Iterator[Check]:
    if find_spec("av") is None:
        yield Check("ffmpeg", CheckResult.OK, "PyAV is not installed: nothing can be transcribed here")
        return
    version = ffmpeg_version()
    if has_known_holes(version):
        remedy = f"Use Python 3.12 or newer: PyAV brings FFmpeg {MENDED} or newer there."
        yield Check(
            "ffmpeg", CheckResult.WARNING, f"{version}: recordings can reach known holes in it", remedy
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
        found = f"there is none yet at {file.absolute()}"
        yield Check("database", CheckResult.WARNING, found, "The first start of the service makes it.")
        return
    database = Database(engine_for(url, on_network=settings.database_allow_network_file_system))
    try:
        condition = condition_of(database)
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
    remedy = f"Switch on {' and '.join(condition.unsafe)}: what is confirmed can be lost."
    return Check("database", CheckResult.WRONG, f"{product}: {found}", remedy)


def _schema(found: str | None) -> Check:
    seen = f"the schema is {found or 'not there yet'}, and this version of the service has {SCHEMA_REVISION}"
    remedy = "The next start of the service migrates it; one that is newer needs a newer version."
    return Check("outbox", CheckResult.WARNING, seen, remedy)


def _outbox(counts: OutboxCounts) -> Check:
    seconds = counts.oldest_waiting_seconds
    oldest = f" (the oldest for {seconds:.0f} s)" if counts.waiting else ""
    found = f"{counts.waiting} waiting{oldest}, {counts.rejected} rejected, {counts.published} published"
    remedies = []
    if seconds > LATE_SECONDS:
        remedies.append("Nothing takes them to the bus: see that a relay runs, and what its log says.")
    if counts.rejected:
        remedies.append("See `transcripts outbox list --state rejected`.")
    return Check("outbox", CheckResult.WARNING if remedies else CheckResult.OK, found, " ".join(remedies))


def _free_space(container: Container) -> Iterator[Check]:
    settings = container.settings()
    yield _room("space for uploads", settings.spool_dir, settings.min_free_bytes, CheckResult.WRONG)
    file = sqlite_file(settings.database_url)
    if file is not None:
        yield _room("space for events", file.parent, settings.min_free_bytes, CheckResult.WARNING)


def _room(name: str, folder: Path, floor: int, if_less: CheckResult) -> Check:
    """Folders that are made at the start lie where the nearest one is that is there."""
    place = folder.absolute()
    there = next(each for each in (place, *place.parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        remedy = "Let this user write there, or name another folder (DATA_DIR)."
        return Check(name, CheckResult.WRONG, f"{there} is not a folder that this user may write to", remedy)
    disk = os.statvfs(there)
    free = disk.f_bavail * disk.f_frsize
    found = f"{free / GIB:.1f} GiB free at {place}"
    if disk.f_files and not disk.f_favail:  # some file systems count no files, and say 0
        return Check(name, if_less, f"{found}, and no inode for another file", "Remove files there.")
    if free >= floor:
        return Check(name, CheckResult.OK, found)
    return Check(name, if_less, f"{found}, less than MIN_FREE_BYTES ({floor})", "Make room there.")


def _credentials(container: Container) -> Iterator[Check]:
    transport = container.settings().event_transport
    if credentials_found():
        yield Check("credentials", CheckResult.OK, "found")
    elif transport in (EventTransport.MEMORY, EventTransport.NOOP):
        yield Check("credentials", CheckResult.OK, f"none, and EVENT_TRANSPORT={transport} needs none")
    else:
        verdict = CheckResult.WRONG if transport is EventTransport.EVENTBRIDGE else CheckResult.WARNING
        remedy = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role."
        yield Check("credentials", verdict, "none were found: no event reaches a bus", remedy)


def _route(container: Container) -> Iterator[Check]:
    transport, names = container.event_transport(), container.route_names()
    if transport is not EventTransport.EVENTBRIDGE:
        yield Check("route", CheckResult.OK, f"not looked at: events go to {transport}")
        return
    found = f"bus {names.bus}, rule {names.rule} and its target {names.queue} are as they should be"
    yield from _told(container.infrastructure().diagnose(), Check("route", CheckResult.OK, found))


def _payload_bucket(container: Container) -> Iterator[Check]:
    transport, store = container.event_transport(), container.payloads()
    name, bucket = RouteComponent.PAYLOAD_BUCKET.value, container.settings().payload_bucket
    if store is None:
        found = "PAYLOAD_BUCKET is not set: a transcript that is too large for an event is parked"
        yield Check(name, CheckResult.OK, found)
    elif transport is not EventTransport.EVENTBRIDGE:
        yield Check(name, CheckResult.OK, f"not looked at: events go to {transport}")
    else:
        found = f"{bucket} is there, and takes transcripts as far as can be told without storing one"
        yield from _told(store.diagnose(), Check(name, CheckResult.OK, found))


def _told(findings: Sequence[Finding], nothing_wrong: Check) -> Iterator[Check]:
    if not findings:
        yield nothing_wrong
    for finding in findings:
        verdict = CheckResult.WRONG if finding.proven else CheckResult.WARNING
        yield Check(
            finding.component.value, verdict, f"{finding.problem}: {finding.evidence}", finding.remedy
        )


_LOOKS: dict[str, Callable[[Container], Iterable[Check]]] = {
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
