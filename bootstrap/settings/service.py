"""Settings of the HTTP service: uploads, address and log."""

from pathlib import Path

from pydantic import Field

from adapters.auth.loopback import is_loopback
from bootstrap.choices import LogFormat, LogLevel
from bootstrap.fields import Bytes, Count, Prefix, Seconds
from bootstrap.settings.storage import StorageSettings

GIB = 2**30


class ServiceSettings(StorageSettings):
    """Uploads, address and log; uploads are below the folder of the database by default."""

    max_upload_bytes: Bytes = Field(default=2 * GIB, ge=1)
    max_audio_seconds: Seconds = 4 * 3600.0
    max_concurrent_uploads: Count = Field(default=64, ge=1)
    upload_idle_seconds: Seconds = 30.0
    min_free_bytes: Bytes = Field(default=GIB // 2, ge=0)
    spool_dir: Path = Field(default_factory=lambda given: given["data_dir"] / "uploads")

    host: str = Field(default="127.0.0.1", min_length=1)
    port: Count = Field(default=8000, ge=0, le=65535)
    root_path: Prefix = ""
    console: bool | None = Field(
        default=None, description="true or false; blank: true where the service listens on a loopback address"
    )
    shutdown_grace_seconds: Seconds = 60.0
    log_format: LogFormat = LogFormat.AUTO
    log_level: LogLevel = LogLevel.INFO

    @property
    def has_console(self) -> bool:
        """True where the pages for people are served; by default, to this machine alone."""
        return is_loopback(self.host) if self.console is None else self.console
