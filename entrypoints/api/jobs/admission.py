"""Callers of answers that last: their credentials may end before the answer does."""

import logging
import time

from starlette.requests import Request

from domain.model.errors import (
    AccessDeniedError,
    AuthenticatorUnavailableError,
    InvalidIdentityError,
    UnauthenticatedError,
)
from entrypoints.api.access import identified

logger = logging.getLogger(__name__)

CHECK_SECONDS = 15.0
"""Time after which the caller of a stream is identified again."""


class Admission:
    """Right of a caller to an answer that lasts; a key may be revoked, and a token or a session expire."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._checked_at = time.monotonic()

    async def holds(self) -> bool:
        """Identify the caller again where that is due; a store that cannot be reached decides nothing."""
        now = time.monotonic()
        if now - self._checked_at < CHECK_SECONDS:
            return True
        self._checked_at = now
        try:
            await identified(self._request)
        except AuthenticatorUnavailableError:
            return True
        except (UnauthenticatedError, AccessDeniedError, InvalidIdentityError) as error:
            logger.info("stream ended, its credentials are not valid any more", extra={"reason": str(error)})
            return False
        return True
