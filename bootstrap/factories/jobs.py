"""Factories of the parts of jobs that settings choose."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.aws.iam.resources import S3Place
from adapters.aws.s3.recording_source import S3RecordingSource
from adapters.aws.s3.recording_store import S3RecordingStore
from adapters.downloads import DownloadLimits
from adapters.files.recordings import FolderRecordingStore
from adapters.scratch import ScratchFolders
from adapters.sql.database import Database
from adapters.sql.installation import installation_id
from adapters.web.https_source import HttpsRecordingSource
from bootstrap.aws.clients import AwsAccess, recordings_client
from bootstrap.aws.places import bucket_of_recordings, buckets_of_sources
from bootstrap.disk_space import shortage
from bootstrap.extras import require
from bootstrap.settings import Settings
from bootstrap.transports import has_bus
from domain.model.events.kinds import EventKind
from domain.services.jobs.announcement import JobAnnouncement
from domain.services.jobs.sources import RecordingSources
from domain.services.jobs.worker import POLL_SECONDS, WorkerOptions
from domain.services.relay.relay import Relay
from ports.job_bell_port import JobBellPort
from ports.recording_store_port import RecordingStorePort
from ports.transcriber_port import TranscriberPort

if TYPE_CHECKING:
    from adapters.celery.app import Broker
    from ports.recording_source_port import RecordingSourcePort

BROKER_POLL_SECONDS = 15.0
"""Longest delay of a job whose message the broker lost; with a lease, less than a minute."""


def recording_store(
    settings: Settings, access: Callable[[], AwsAccess], database: Callable[[], Database]
) -> RecordingStorePort:
    """Build the store that `RECORDING_STORE` names; the database owns the recordings."""
    owner = cache(lambda: installation_id(database()))
    in_s3 = bucket_of_recordings(settings.recording_store)
    if in_s3 is None:
        return FolderRecordingStore(Path(settings.recording_store), owner=owner)
    return s3_recording_store(settings, access(), in_s3, owner)


def s3_recording_store(
    settings: Settings, access: AwsAccess, place: S3Place, owner: Callable[[], str]
) -> S3RecordingStore:
    """Build the store of recordings in a bucket."""
    scratch = scratch_folders(settings)
    return S3RecordingStore(
        recordings_client(access),
        bucket=place.bucket,
        prefix=place.prefix,
        owner=owner,
        scratch=scratch,
        has_room=room_check(scratch.root, settings.min_free_bytes),
    )


def scratch_folders(settings: Settings) -> ScratchFolders:
    """Build the folders for recordings that are on their way through this machine."""
    return ScratchFolders(settings.data_dir / "fetched")


def room_check(folder: Path, floor: int) -> Callable[[int], bool]:
    """Build a check that a folder's disk has room for so many bytes, and `floor` bytes beside them."""
    return lambda size: shortage(folder, floor + size) is None


def recording_sources(
    settings: Settings, access: Callable[[], AwsAccess], recordings: RecordingStorePort
) -> RecordingSources:
    """Build the places from which recordings are fetched, by the schemes of their URLs."""
    scratch = scratch_folders(settings)
    limits = DownloadLimits(settings.max_upload_bytes, room_check(scratch.root, settings.min_free_bytes))
    sources: dict[str, RecordingSourcePort] = {
        "https": HttpsRecordingSource(limits, allowed=settings.source_allow_networks),
        "s3": S3RecordingSource(
            lambda: recordings_client(access()), buckets_of_sources(settings.source_buckets), limits
        ),
    }
    return RecordingSources(recordings, sources, scratch.folder)


def job_announcement(settings: Settings, transport: str, relay: Callable[[], Relay]) -> JobAnnouncement:
    """Build the events of jobs; without a bus, none is stored that no relay would send."""
    return JobAnnouncement(
        kinds=_kinds_of_ends(settings) if has_bus(transport) else (),
        wake=lambda: relay().wake() if has_bus(transport) else None,
    )


def _kinds_of_ends(settings: Settings) -> tuple[EventKind, ...]:
    """Return the kinds of events that tell how a job ended; an erasure comes later."""
    return tuple(kind for kind in settings.event_kinds if kind is not EventKind.ERASED)


def broker_bell(settings: Settings) -> JobBellPort | None:
    """Build the bell of other processes; None without JOB_BROKER: they look at the database.

    Raises:
        ConfigurationError: Celery is not installed.
    """
    if settings.job_broker is None:
        return None
    require("celery", "JOB_BROKER")
    from adapters.celery.bell import CeleryBell  # noqa: PLC0415 - an extra, and slow to import

    return CeleryBell(job_broker(settings, settings.job_broker.get_secret_value()))


def job_broker(settings: Settings, url: str) -> "Broker":
    """Describe the broker of jobs."""
    from adapters.celery.app import Broker  # noqa: PLC0415 - an extra, and slow to import

    return Broker(url, settings.aws_region, settings.aws_endpoint_url)


def admitted_by(transcriber: TranscriberPort) -> int:
    """Count the recordings that a transcriber has admitted."""
    return transcriber.state().admitted


def worker_options(settings: Settings) -> WorkerOptions:
    """Describe the worker of a process."""
    default_poll = POLL_SECONDS if settings.job_broker is None else BROKER_POLL_SECONDS
    return WorkerOptions(
        queues=(settings.job_queue,),
        places=settings.job_workers,
        tenant_limit=settings.job_tenant_limit,
        poll_seconds=settings.job_poll_seconds or default_poll,
    )
