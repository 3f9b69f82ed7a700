"""Order of a job: its name and its request, both derived from the sound and from what is asked."""

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.aws.transcribe.languages import CODES

if TYPE_CHECKING:
    from types_boto3_transcribe.type_defs import StartTranscriptionJobRequestTypeDef

KEY_PREFIX = "transcribe/"
"""Prefix of the keys of sound and output in the bucket."""
NAME_PREFIX = "batch-transcription-"
"""Prefix of the names of jobs."""

FLAC: Final = "flac"


@dataclass(frozen=True, slots=True)
class JobOrder:
    """One voice for Amazon Transcribe, and what is asked of it."""

    bucket: str
    sound: str  # SHA-256 of the samples, in hexadecimal
    track: int | None = None
    channel: int | None = None
    language: str | None = None  # one of `CODES`; None: Amazon finds it
    max_speakers: int | None = None  # speakers that are told apart at most; None: none are

    @property
    def name(self) -> str:
        """Name of the job, the same for the same order: a restarted process finds the job that is paid for.

        Amazon keeps one job of a name for each account and region.
        """
        asked = (self.bucket, self.sound, self.track, self.channel, self.code, self.max_speakers)
        return NAME_PREFIX + hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    @property
    def code(self) -> str | None:
        """Amazon's code of the language; None: Amazon finds it."""
        return None if self.language is None else CODES[self.language]

    @property
    def media_key(self) -> str:
        """Key of the sound in the bucket."""
        return f"{KEY_PREFIX}{self.name}.{FLAC}"

    @property
    def output_key(self) -> str:
        """Key of the output in the bucket."""
        return f"{KEY_PREFIX}{self.name}.json"

    def request(self) -> "StartTranscriptionJobRequestTypeDef":
        """Build the request; it leaves out the sample rate, since a job fails where that differs."""
        request: StartTranscriptionJobRequestTypeDef = {
            "TranscriptionJobName": self.name,
            "Media": {"MediaFileUri": f"s3://{self.bucket}/{self.media_key}"},
            "MediaFormat": FLAC,
            "OutputBucketName": self.bucket,
            "OutputKey": self.output_key,
        }
        if self.code is None:
            request["IdentifyLanguage"] = True
        else:
            request["LanguageCode"] = self.code  # type: ignore[typeddict-item] # one of those that it lists
        if self.max_speakers is not None:
            request["Settings"] = {"ShowSpeakerLabels": True, "MaxSpeakerLabels": self.max_speakers}
        return request
