"""Settings and logging of a command, from the environment."""

import os

from bootstrap.log_config import configure_logging
from bootstrap.settings import Settings


def configure(*, default_log_level: str = "WARNING") -> Settings:
    """Read the settings and set up logging; operators see less than servers log, unless LOG_LEVEL says more.

    Raises:
        ConfigurationError: a variable holds a wrong value.
    """
    settings = Settings.from_env({"LOG_LEVEL": default_log_level, **os.environ})
    configure_logging(settings)
    return settings
