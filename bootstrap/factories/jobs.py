"""Factories of the parts of jobs that settings choose."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.files.recordings import FolderRecordingStore
from bootstrap.aws.clients import AwsAccess
from bootstrap.choices import EventTransport
from bootstrap.extras import require
from bootstrap.settings import Settings
from domain.services.jobs.announcement import JobAnnouncement
from domain.services.jobs.sources import RecordingSources
from domain.services.jobs.worker import POLL_SECONDS, WorkerOptions
from domain.services.relay.relay import Relay
from ports.job_bell_port import JobBellPort
from ports.recording_source_port import RecordingSourcePort
from ports.recording_store_port import RecordingStorePort
from ports.transcriber_port import TranscriberPort

if TYPE_CHECKING:
    from adapters.celery.app import Broker

BROKER_POLL_SECONDS = 15.0
"""Longest delay of a job whose message the broker lost; with a lease, less than a minute."""


def recording_store(settings: Settings, access: Callable[[], AwsAccess]) -> RecordingStorePort:
    """Build the store that `RECORDING_STORE` names."""
    return FolderRecordingStore(Path(settings.recording_store))


def recording_sources(
    settings: Settings, access: Callable[[], AwsAccess], recordings: RecordingStorePort
) -> RecordingSources:
    """Build the places from which recordings are fetched, by the schemes of their URLs."""
    sources: dict[str, RecordingSourcePort] = {}
    return RecordingSources(recordings, sources, settings.data_dir / "fetched")


def job_announcement(
    settings: Settings, transport: EventTransport, relay: Callable[[], Relay]
) -> JobAnnouncement:
    """Build the events of jobs; without a bus, none is stored that no relay would send."""
    has_bus = transport is EventTransport.EVENTBRIDGE
    return JobAnnouncement(completed=has_bus, failed=False, wake=lambda: relay().wake() if has_bus else None)


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
