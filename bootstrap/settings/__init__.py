"""Settings of the service, in groups."""

from bootstrap.settings.settings import Settings

__all__ = ["Settings"]
