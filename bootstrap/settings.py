"""Settings: read from the environment once and checked at the start (requirement 11).

The variables are a contract with operators: `.env.example` and the README list the same ones.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Self

from pydantic import AliasChoices, AliasGenerator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bootstrap.capacity import worker_count
from bootstrap.choices import (
    Choice,
    Cleaner,
    ComputeType,
    Device,
    EventTransport,
    IdentityMode,
    LogFormat,
    LogLevel,
    Transcriber,
    TranscriptionFormat,
)
from bootstrap.fields import (
    ArchiveName,
    Broker,
    BucketName,
    Bytes,
    Count,
    Days,
    DeadLetterQueueName,
    EventKinds,
    FailedQueueName,
    FailedRuleName,
    Folder,
    Key,
    KmsKey,
    Name,
    Networks,
    Prefix,
    Printable,
    Queue,
    QueueName,
    RecordingStore,
    Region,
    RuleName,
    Seconds,
    SourceBuckets,
    Speakers,
    TenantId,
    Url,
)
from bootstrap.region import region_of_profile
from domain.model.errors import ConfigurationError
from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.model.events.kinds import EventKind
from domain.model.identity import IdentityDefaults
from domain.model.route.route import RouteNames, Routes
from domain.model.transcripts import Language

GIB = 2**30
DEFAULT_REGION_VARIABLE = "AWS_DEFAULT_REGION"
"""The name that the AWS CLI and boto3 read; `AWS_REGION`, the name of the newer SDKs, wins."""


_DEFAULT_MODELS = {Transcriber.OPENAI: "gpt-transcribe"}
_SECRETS = frozenset({"OPENAI_API_KEY", "JOB_BROKER"})
"""Variables whose values no error quotes."""


class Settings(BaseModel):
    """Settings of the service; the variable of a field is its name in capitals."""

    model_config = ConfigDict(
        frozen=True, hide_input_in_errors=True, alias_generator=AliasGenerator(validation_alias=str.upper)
    )

    aws_region: Region = Field(
        default_factory=region_of_profile,
        validation_alias=AliasChoices("AWS_REGION", DEFAULT_REGION_VARIABLE),
    )
    aws_endpoint_url: Url | None = None
    eventbridge_bus_name: Name = "default"
    event_source: Name = DEFAULT_EVENT_SOURCE
    event_transport: EventTransport = EventTransport.AUTO
    event_kinds: EventKinds = (EventKind.COMPLETED,)
    publish_timeout_seconds: Seconds = Field(default=2.0, le=3)

    event_max_bytes: Bytes = Field(default=1_000_000, ge=1_000, le=2**20)
    payload_bucket: BucketName | None = Field(
        default=None, description="3 to 63 small letters, digits and . -, such as my-transcripts"
    )
    data_dir: Folder = Path("var")
    database_url: str = Field(
        default_factory=lambda given: f"sqlite:///{given['data_dir']}/transcripts.db", min_length=1
    )
    database_allow_network_file_system: bool = Field(default=False, description="true or false")
    outbox_keep_days: Days = Field(default=0.0, le=3650)

    queue_name: QueueName = "meeting-transcripts-queue"
    dlq_name: DeadLetterQueueName = Field(default="meeting-transcripts-dlq", validate_default=True)
    rule_name: RuleName = "capture-transcripts-rule"
    failed_queue_name: FailedQueueName = Field(default="meeting-failures-queue", validate_default=True)
    failed_dlq_name: FailedQueueName = Field(default="meeting-failures-dlq", validate_default=True)
    failed_rule_name: FailedRuleName = Field(default="capture-failures-rule", validate_default=True)
    archive_name: ArchiveName = "meeting-transcripts-archive"
    archive_days: Count | None = Field(
        default=None, ge=0, le=36_500, description="whole days, such as 30; 0 for good"
    )
    queue_kms_key: KmsKey | None = Field(
        default=None, description="the id, the ARN or the alias of a key, such as alias/transcripts"
    )

    identity: IdentityMode = IdentityMode.LENIENT
    mock_tenant_id: TenantId | None = None
    mock_user_id: Printable | None = None

    transcriber: Transcriber = Transcriber.FASTER_WHISPER
    transcriber_model: str = Field(
        default_factory=lambda given: _DEFAULT_MODELS.get(given["transcriber"], "tiny.en"), min_length=1
    )
    transcriber_device: Device = Device.AUTO
    transcriber_compute_type: ComputeType = ComputeType.DEFAULT
    transcriber_language: Language | None = Field(
        default=None, description="the code of a language in small letters, such as en"
    )
    transcriber_speech_threshold: float = Field(
        default=0.5, gt=0, lt=1, description="a probability between 0 and 1, such as 0.5"
    )
    transcriber_workers: Count = Field(default_factory=worker_count, ge=1, le=256)
    transcriber_waiting_room: Count | None = Field(
        default=None, ge=0, le=10_000, description="a whole number, such as 2"
    )
    transcriber_stall_seconds: Seconds = 60.0
    transcribe_bucket: BucketName | None = Field(
        default=None, description="3 to 63 small letters, digits and . -, such as my-recordings"
    )
    transcribe_speakers: Speakers = Field(default=10, ge=0, le=30)
    cleaner: Cleaner = Cleaner.RULES
    cleaner_model: str | None = None
    openai_api_key: Key | None = None
    openai_base_url: Url = "https://api.openai.com/v1"
    openai_requests: Count = Field(default=8, ge=1, le=1_000)
    openai_response_format: TranscriptionFormat = TranscriptionFormat.AUTO

    job_workers: Count = Field(default_factory=lambda given: given["transcriber_workers"], ge=0, le=256)
    job_queue: Queue = Field(
        default_factory=lambda given: "gpu" if given["transcriber_device"] is Device.CUDA else "cpu"
    )
    job_broker: Broker | None = None
    job_poll_seconds: Seconds | None = Field(default=None, le=3600)
    job_tenant_limit: Count | None = Field(default=None, ge=1, description="a whole number, such as 2")
    jobs_keep_days: Days = Field(default=30.0, le=3650)
    recording_store: RecordingStore = Field(
        default_factory=lambda given: f"{given['data_dir']}/recordings", min_length=1
    )
    recording_keep_days: Days = Field(default=0.0, le=3650)
    source_buckets: SourceBuckets = ()
    source_allow_networks: Networks = ()

    max_upload_bytes: Bytes = Field(default=2 * GIB, ge=1)
    max_audio_seconds: Seconds = 4 * 3600.0
    max_concurrent_uploads: Count = Field(default=64, ge=1)
    upload_idle_seconds: Seconds = 30.0
    min_free_bytes: Bytes = Field(default=GIB // 2, ge=0)
    spool_dir: Path = Field(default_factory=lambda given: given["data_dir"] / "uploads")

    host: str = Field(default="127.0.0.1", min_length=1)
    port: Count = Field(default=8000, ge=0, le=65535)
    root_path: Prefix = ""
    shutdown_grace_seconds: Seconds = 60.0
    log_format: LogFormat = LogFormat.AUTO
    log_level: LogLevel = LogLevel.INFO

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from a mapping such as `os.environ`; a blank variable counts as absent.

        Raises:
            ConfigurationError: names all invalid variables, and their valid values.
        """
        try:
            return cls.model_validate({name: value for name, value in environ.items() if value.strip()})
        except ValidationError as error:
            problems = (
                _explain(details, environ)
                for details in error.errors(include_url=False)
                if details["type"] != "default_factory_not_called"  # follows from another error
            )
            raise ConfigurationError("\n".join(problems)) from None

    @property
    def identity_defaults(self) -> IdentityDefaults:
        """Identity of requests without identity headers (requirements 2.2 and 2.5)."""
        return IdentityDefaults(
            tenant_id=self.mock_tenant_id,
            user_id=self.mock_user_id,
            is_strict=self.identity is IdentityMode.STRICT,
        )

    @property
    def routes(self) -> Routes:
        """Names of the route of each kind of event, also of a kind that is not sent."""
        bus, source = self.eventbridge_bus_name, self.event_source
        return {
            EventKind.COMPLETED: RouteNames(
                bus, self.rule_name, self.queue_name, self.dlq_name, source, self.archive_name
            ),
            EventKind.FAILED: RouteNames(
                bus,
                self.failed_rule_name,
                self.failed_queue_name,
                self.failed_dlq_name,
                source,
                archive="",
                kind=EventKind.FAILED,
            ),
        }

    @property
    def waiting_room(self) -> int:
        """Number of recordings that may wait for a worker; by default the number of workers."""
        if self.transcriber_waiting_room is None:
            return self.transcriber_workers
        return self.transcriber_waiting_room


_CHOICES: Mapping[str, type[Choice]] = {
    "EVENT_TRANSPORT": EventTransport,
    "TRANSCRIBER": Transcriber,
    "TRANSCRIBER_DEVICE": Device,
    "TRANSCRIBER_COMPUTE_TYPE": ComputeType,
    "CLEANER": Cleaner,
    "OPENAI_RESPONSE_FORMAT": TranscriptionFormat,
    "IDENTITY": IdentityMode,
    "LOG_FORMAT": LogFormat,
    "LOG_LEVEL": LogLevel,
}


def _explain(details: ErrorDetails, environ: Mapping[str, str]) -> str:
    name = str(details["loc"][0])
    value = environ.get(name, "")
    choices = _CHOICES.get(name)
    if name in _SECRETS:
        return f"{name}: {_sentence(details)}"
    if choices is None:
        return f"{name}={value!r}: {_sentence(details)}"
    allowed = [choice.value for choice in choices]
    message = f"{name}={value!r} is not one of {', '.join(allowed)}"
    nearest = get_close_matches(value, allowed, n=1, cutoff=0.5) or get_close_matches(
        value.upper(), allowed, n=1, cutoff=0.5
    )
    return f"{message} (did you mean {nearest[0]!r}?)" if nearest else message


_UNREADABLE = {
    "string_pattern_mismatch",
    "int_parsing",
    "int_from_float",
    "int_parsing_size",
    "float_parsing",
    "bool_parsing",
}


def _field_of(variable: str) -> FieldInfo:
    return Settings.model_fields["aws_region" if variable == DEFAULT_REGION_VARIABLE else variable.lower()]


def _sentence(details: ErrorDetails) -> str:
    description = _field_of(str(details["loc"][0])).description
    if description and details["type"] in _UNREADABLE:
        return description
    text = details["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return text[0].lower() + text[1:]
