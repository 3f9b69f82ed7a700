"""Values of the settings that have only a few."""

from enum import StrEnum
from typing import Self


class Choice(StrEnum):
    """Value of a variable with a few values; capital and small letters are the same."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return next((each for each in cls if each.value.lower() == str(value).lower()), None)


class EventTransport(Choice):
    """Transport of events that is built in; installed packages provide others."""

    AUTO = "auto"
    EVENTBRIDGE = "eventbridge"
    SNS = "sns"
    WEBHOOK = "webhook"
    MEMORY = "memory"
    NOOP = "noop"


class KafkaSecurity(Choice):
    """Protocol of Kafka, by librdkafka's names."""

    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_PLAINTEXT = "sasl_plaintext"
    SASL_SSL = "sasl_ssl"


class KafkaSasl(Choice):
    """Mechanism by which Kafka checks a user name and a password."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class EventTexts(Choice):
    """Place of the transcripts of an event: in the event, or in PAYLOAD_BUCKET with a reference to them."""

    INLINE = "inline"
    REFERENCE = "reference"


class Transcriber(Choice):
    """Speech engine."""

    FASTER_WHISPER = "faster-whisper"
    OPENAI = "openai"
    AMAZON_TRANSCRIBE = "amazon-transcribe"
    CANNED = "canned"


class Device(Choice):
    """Processor of a speech engine; `auto` means a GPU where CTranslate2 sees one."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class ComputeType(Choice):
    """Numbers with which a speech engine calculates; `default` means int8 on a CPU, float16 on a GPU."""

    DEFAULT = "default"
    INT8 = "int8"
    INT8_FLOAT16 = "int8_float16"
    INT8_FLOAT32 = "int8_float32"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"


class TranscriptionFormat(Choice):
    """Answer of a service that speaks OpenAI's protocol; `auto` means the best that the model has."""

    AUTO = "auto"
    JSON = "json"
    VERBOSE_JSON = "verbose_json"
    DIARIZED_JSON = "diarized_json"


class Cleaner(Choice):
    """Transcript cleaner."""

    RULES = "rules"
    OPENAI = "openai"


class Redactor(Choice):
    """Finder of personal data in transcripts."""

    NONE = "none"
    RULES = "rules"
    PRESIDIO = "presidio"


class IdentityMode(Choice):
    """Answer to a request whose tenant is missing or no UUID v4: with a new tenant, or 400."""

    LENIENT = "lenient"
    STRICT = "strict"


class Authentication(Choice):
    """Proof of callers: none, the headers of a gateway, a token of an issuer, or a key of this service."""

    OPEN = "open"
    GATEWAY = "gateway"
    TOKEN = "token"  # noqa: S105 - the name of a method
    KEY = "key"
    TOKEN_OR_KEY = "token,key"  # noqa: S105 - same

    @property
    def has_tokens(self) -> bool:
        """True where tokens of an issuer are accepted."""
        return self in {Authentication.TOKEN, Authentication.TOKEN_OR_KEY}


class LogFormat(Choice):
    """Format of log lines; `auto` means `console` on a terminal and `json` elsewhere."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class LogLevel(Choice):
    """Lowest level of log lines that are written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
