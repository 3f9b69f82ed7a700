"""Logging: structured lines on stderr, bound to their interaction (requirement 12).

The core logs with the standard library; structlog renders. Secrets are kept out of all lines, also those of
libraries: values of secret variables and strings that look like credentials are redacted, and loggers that
print requests are limited to WARNING.
"""

import logging
import logging.config
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bootstrap.choices import LogFormat, LogLevel
from bootstrap.settings import Settings

SECRET_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "OPENAI_API_KEY",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
)
REDACTED = "[redacted]"

_CHATTY = (
    "alembic",
    "boto3",
    "celery.app.trace",
    "celery.worker.strategy",
    "botocore",
    "httpcore2",
    "httpx2",
    "openai",
    "s3transfer",
    "urllib3",
    "asyncio",
    "werkzeug",
    "uvicorn.access",
)
_SECRET_SHAPES = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # access keys
    r"|\b(?:sk|gsk)[-_][A-Za-z0-9_-]{16,}"  # keys of OpenAI and Groq
    r"|(?i:X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"']+"  # presigned queries
    r"|(?i:(?:authorization|x-amz-security-token)[\"']?\s*[:=]\s*)[^\n]+"  # headers
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]+"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user:password in addresses; Redis needs no user
)
_SECRET_KEYS = re.compile(r"(?i)authorization|secret|password|token|access_key|credential")


class SecretRedactor:
    """Structlog processor that redacts credentials in all fields of a line, stack traces included."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        values = [environ[name] for name in SECRET_VARIABLES if len(environ.get(name, "")) >= 8]  # noqa: PLR2004 - shorter ones ("test") are words
        self._values = re.compile("|".join(map(re.escape, values))) if values else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Redact values by pattern and content, and whole fields by name."""
        return {
            key: REDACTED if _SECRET_KEYS.search(key) else self._clean(value) for key, value in event.items()
        }

    def _clean(self, value: object) -> object:
        if isinstance(value, str):
            text = self._values.sub(REDACTED, value) if self._values else value
            return _SECRET_SHAPES.sub(REDACTED, text)
        if isinstance(value, Mapping):
            return self(None, "", dict(value))
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        return value


class TraceIds:
    """Structlog processor that adds the ids of the current span to a line.

    Attributes:
        current: returns the traceparent of the current span; replaced where traces are switched on.
    """

    def __init__(self) -> None:
        self.current: Callable[[], str | None] = lambda: None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Add the ids."""
        if traceparent := self.current():
            _, event["trace_id"], event["span_id"], _ = traceparent.split("-")
        return event


TRACE_IDS = TraceIds()
"""Of this process, like the log itself."""


def configure_logging(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send all log lines of this process to `stream` (stderr by default) in the configured format."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    wants_json = _wants_json(settings.log_format, stream)
    handler.setFormatter(_formatter(_json() if wants_json else _console(colors=stream.isatty())))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.value)
    quiet = logging.ERROR if settings.log_level is LogLevel.ERROR else logging.WARNING
    for name in _CHATTY:
        logging.getLogger(name).setLevel(quiet)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


def _wants_json(log_format: LogFormat, stream: TextIO) -> bool:
    if log_format is LogFormat.AUTO:
        return not stream.isatty()
    return log_format is LogFormat.JSON


def _formatter(render: Processor) -> structlog.stdlib.ProcessorFormatter:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        TRACE_IDS,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _without_second_message,
        structlog.processors.format_exc_info,
        SecretRedactor(os.environ),
        render,
    ]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)


def _without_second_message(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop uvicorn's second copy of a message, which has colours."""
    event.pop("color_message", None)
    return event


def _json() -> Processor:
    return structlog.processors.JSONRenderer()


def _console(*, colors: bool) -> Processor:
    render = structlog.dev.ConsoleRenderer(colors=colors)

    def printable(logger: WrappedLogger, method: str, event: EventDict) -> str:
        """Escape control characters, which could steer a terminal; JSON escapes them by itself."""
        safe = {key: _escaped(value, keep="\n" if key == "exception" else "") for key, value in event.items()}
        return str(render(logger, method, safe))

    return printable


def _escaped(value: object, *, keep: str) -> object:
    if isinstance(value, str):
        return "".join(
            character
            if character.isprintable() or character in keep
            else character.encode("unicode_escape").decode("ascii")
            for character in value
        )
    return value
