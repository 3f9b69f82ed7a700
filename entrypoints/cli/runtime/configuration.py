"""Settings, logging and the container of a command.

What is slow to import is imported where a command runs, here as in the commands' modules: `--help` needs none
of it.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bootstrap.container import Container
    from bootstrap.settings import Settings
    from ports.transcriber_port import TranscriberPort


@contextmanager
def importing() -> Iterator[None]:
    """Import without collections of garbage: they are a sixth of the time, and find none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def configure(*, default_log_level: str = "WARNING", **options: str | None) -> "Settings":
    """Read the settings and set up logging; operators see less than servers log, unless LOG_LEVEL says more.

    Args:
        default_log_level: where LOG_LEVEL says nothing.
        options: of the command line, by the variable that they stand for; None where they were not given.

    Raises:
        ConfigurationError: a variable holds a wrong value.
    """
    with importing():
        from bootstrap.logs import configure_logging  # noqa: PLC0415 - slow to import
        from bootstrap.settings import Settings  # noqa: PLC0415 - same

    given = {name: value for name, value in options.items() if value is not None}
    settings = Settings.from_env({"LOG_LEVEL": default_log_level, **os.environ, **given})
    configure_logging(settings)
    return settings


def build_container(settings: "Settings", transcriber: "TranscriberPort | None" = None) -> "Container":
    """As `bootstrap.container.build_container`, imported when it is called."""
    with importing():
        from bootstrap import container  # noqa: PLC0415 - slow to import: all that the service is made of

    return container.build_container(settings, transcriber)
