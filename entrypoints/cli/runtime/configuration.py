"""Settings, logging and container of a command.

Slow imports happen when a command runs, here and in the modules of commands: `--help` does not need them.
"""

import logging
import os
from typing import TYPE_CHECKING

from bootstrap.aws.timeouts import DEFAULT_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from bootstrap.container import Container
    from bootstrap.settings import Settings
    from ports.trace_port import TracePort
    from ports.transcriber_port import TranscriberPort


logger = logging.getLogger(__name__)


def configure(*, default_log_level: str = "WARNING", **options: str | None) -> "Settings":
    """Read the settings and set up logging; commands log less than servers, unless LOG_LEVEL is set.

    Options of the command line are named by the variable that they replace; None where not given.

    Raises:
        ConfigurationError: a variable has an invalid value.
    """
    from bootstrap.logs import configure_logging  # noqa: PLC0415 - slow to import
    from bootstrap.settings import Settings  # noqa: PLC0415 - same
    from bootstrap.variables import misspelt  # noqa: PLC0415 - same

    given = {name: value for name, value in options.items() if value is not None}
    settings = Settings.from_env({"LOG_LEVEL": default_log_level, **os.environ, **given})
    configure_logging(settings)
    for name, nearest in misspelt(os.environ).items():
        logger.warning(
            "unknown variable, it has no effect", extra={"variable": name, "did_you_mean": nearest}
        )
    return settings


def build_container(
    settings: "Settings",
    transcriber: "TranscriberPort | None" = None,
    *,
    trace: "TracePort | None" = None,
    aws_timeout: float = DEFAULT_TIMEOUT_SECONDS,
) -> "Container":
    """Import and call `bootstrap.container.build_container`."""
    from bootstrap import container  # noqa: PLC0415 - slow to import

    return container.build_container(settings, transcriber, trace=trace, aws_timeout=aws_timeout)
