"""Calls: requests within a time limit, sent again where the service asks for that, answered in JSON."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import httpx2
from openai import APIError

from adapters.openai.refusals import Refusal, late, refusal_of
from domain.model.errors import TranscriberCrashedError, TranscriptionError

logger = logging.getLogger(__name__)

_CONTENT_TYPE = re.compile(r"[a-z0-9.+-]{1,32}/[a-z0-9.+-]{1,64}")


class Answer(Protocol):
    """Answer as the SDK's `with_raw_response` gives it: read to its end, but not parsed."""

    @property
    def http_response(self) -> httpx2.Response:
        """Return status, headers and content."""
        ...


Send = Callable[[], Awaitable[Answer]]
"""Sends a request once; the time limit is the caller's."""

MAX_TRIES = 6
"""Times that a request is sent."""
TIME_LIMITS = 2
"""Time limits within which a request is sent again; one that ran into its limit is sent once more."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Sends requests to one service, each as often as it takes within limits."""

    host: str  # name of the service, for messages
    pause: Callable[[int], float]  # seconds to wait after so many failures in a row, different each time
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def answer(
        self, operation: str, send: Send, *, seconds: float, max_tries: int = MAX_TRIES
    ) -> object:
        """Send a request, and again after 429, 5xx, lost connections and time-outs; return the answer's JSON.

        A pause is as long as the service asks for, and a little longer, so that requests do not coincide.

        Args:
            operation: what the request is for, as the messages of errors name it.
            send: sends the request once.
            seconds: time limit of one try.
            max_tries: times that it is sent.

        Raises:
            TranscriberBusyError: too many requests, to the end.
            TranscriberUnavailableError: refused for all requests, not reachable, or too late, to the end.
            TranscriptionFailedError: this request is refused.
            TranscriberCrashedError: the answer is no JSON.
        """
        deadline = self.clock() + TIME_LIMITS * seconds
        failures = 0
        while True:
            answer = await self._try(operation, send, seconds)
            if not isinstance(answer, Refusal):
                return _json(answer, self.host, operation)
            pause = (answer.retry_after_seconds or 0.0) + self.pause(failures)
            failures += 1
            is_over = failures >= max_tries or self.clock() + pause >= deadline
            if is_over or not answer.is_temporary:
                raise answer.error
            self._log(operation, answer.error, pause)
            await self.sleep(pause)

    async def _try(self, operation: str, send: Send, seconds: float) -> Answer | Refusal:
        try:
            async with asyncio.timeout(seconds):
                return await send()
        except APIError as error:
            return refusal_of(error, self.host, operation)
        except TimeoutError:
            return late(self.host, operation)

    def _log(self, operation: str, error: TranscriptionError, pause: float) -> None:
        logger.warning(
            "request failed, sending it again",
            extra={
                "operation": operation,
                "error_type": type(error).__name__,
                "error": str(error),
                "pause_seconds": round(pause, 3),
            },
        )


def _json(answer: Answer, host: str, operation: str) -> object:
    content = answer.http_response.content
    if (parsed := _parsed(content)) is not None:
        return parsed
    kind = _CONTENT_TYPE.match(answer.http_response.headers.get("content-type", "").lower())
    # raised outside of the handler of the parser's error, which holds the whole text
    raise TranscriberCrashedError(
        f"{host} answered the {operation} with {len(content)} bytes that hold no JSON"
        f" ({kind[0] if kind else 'of an unknown type'})."
    )


def _parsed(content: bytes) -> object | None:
    try:
        parsed: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed
