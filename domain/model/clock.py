"""Default clock of the use cases, which take it as `now: Callable[[], datetime]`."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time in UTC, aware of its zone."""
    return datetime.now(UTC)
