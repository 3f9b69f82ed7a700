"""Settings and logging of a command, from the environment."""

import os

from bootstrap.log_config import configure_logging
from bootstrap.settings import Settings


def configure(*, default_log_level: str = "WARNING", **options: str | None) -> Settings:
    """Read the settings and set up logging; operators see less than servers log, unless LOG_LEVEL says more.

    Args:
        default_log_level: where LOG_LEVEL says nothing.
        options: of the command line, by the variable that they stand for; None where they were not given.

    Raises:
        ConfigurationError: a variable holds a wrong value.
    """
    given = {name: value for name, value in options.items() if value is not None}
    settings = Settings.from_env({"LOG_LEVEL": default_log_level, **os.environ, **given})
    configure_logging(settings)
    return settings
