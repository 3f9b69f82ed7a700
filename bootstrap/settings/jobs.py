"""Settings of jobs, their recordings and their sources."""

from pydantic import Field

from bootstrap.choices import Device
from bootstrap.fields import Broker, Count, Days, Networks, Place, Queue, Seconds, SourceBuckets
from bootstrap.settings.speech import SpeechSettings
from bootstrap.settings.storage import StorageSettings


class JobSettings(SpeechSettings, StorageSettings):
    """Jobs; by default they use the places and the device of the engine, and the folder of the database."""

    job_workers: Count = Field(default_factory=lambda given: given["transcriber_workers"], ge=0, le=256)
    job_queue: Queue = Field(
        default_factory=lambda given: "gpu" if given["transcriber_device"] is Device.CUDA else "cpu"
    )
    job_broker: Broker | None = None
    job_poll_seconds: Seconds | None = Field(default=None, le=3600)
    job_tenant_limit: Count | None = Field(default=None, ge=1, description="a whole number, such as 2")
    jobs_keep_days: Days = Field(default=30.0, le=3650)
    recording_store: Place = Field(
        default_factory=lambda given: f"{given['data_dir']}/recordings", min_length=1
    )
    recording_keep_days: Days = Field(default=0.0, le=3650)
    transcript_keep_days: Days | None = Field(
        default=None, gt=0, le=3650, description="days, such as 30; blank: transcripts are kept"
    )
    source_buckets: SourceBuckets = ()
    source_allow_networks: Networks = ()
