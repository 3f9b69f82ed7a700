"""Whether what everything depends on is away, told once when it goes and once when it comes back."""

import logging
from threading import Lock

logger = logging.getLogger(__name__)


class Trouble:
    """The present trouble of a consumer, shared by its threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reason: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is any."""
        return self._reason is not None

    def begin(self, reason: str) -> None:
        """Something is away; what is known already is not told again."""
        with self._lock:
            is_news, self._reason = reason != self._reason, reason
        if is_news:
            logger.error("the consumer pauses", extra={"error": reason})

    def end(self) -> None:
        """All is well."""
        with self._lock:
            reason, self._reason = self._reason, None
        if reason is not None:
            logger.info("the consumer goes on", extra={"after": reason})
