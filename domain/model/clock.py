"""Default clock of the use cases, which take it as `now: Callable[[], datetime]`, and the length of a day."""

from datetime import UTC, datetime

SECONDS_PER_DAY = 86_400.0


def utc_now() -> datetime:
    """Return the current time in UTC, aware of its zone."""
    return datetime.now(UTC)
