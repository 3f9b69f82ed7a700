"""The clock of this machine, as use cases take it: `now: Callable[[], datetime]`."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present moment, aware of its zone."""
    return datetime.now(UTC)
