"""Settings of the speech engine and the cleaner."""

from pydantic import Field

from bootstrap.capacity import worker_count
from bootstrap.choices import Cleaner, ComputeType, Device, Transcriber, TranscriptionFormat
from bootstrap.fields import BucketName, Count, Key, Seconds, Speakers, Url
from bootstrap.settings.group import SettingsGroup
from domain.model.transcripts import Language

_DEFAULT_MODELS = {Transcriber.OPENAI: "gpt-transcribe"}


class SpeechSettings(SettingsGroup):
    """Speech engine and cleaner."""

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

    @property
    def waiting_room(self) -> int:
        """Number of recordings that may wait for a worker; by default the number of workers."""
        if self.transcriber_waiting_room is None:
            return self.transcriber_workers
        return self.transcriber_waiting_room
