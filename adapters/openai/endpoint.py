"""Endpoint: whether the service answers, asked for its models at the start and after each failure."""

import asyncio
import logging
from collections.abc import Mapping

from openai import AsyncOpenAI, NotFoundError

from adapters.openai.calls import Answer, Calls
from domain.model.errors import TranscriberUnavailableError, TranscriptionError

logger = logging.getLogger(__name__)

QUESTION = "request for its models"
TIME_LIMIT_SECONDS = 20.0


async def models_of(client: AsyncOpenAI, calls: Calls) -> frozenset[str] | None:
    """Ask a service for the names of its models, once; this costs nothing. None where it has no such list.

    Raises:
        TranscriptionError: it refuses the key, cannot be reached, or answers with something else.
    """
    has_list = True

    async def send() -> Answer:
        nonlocal has_list
        try:
            return await client.models.with_raw_response.list(timeout=TIME_LIMIT_SECONDS)
        except NotFoundError:
            has_list = False
            raise

    try:
        answer = await calls.answer(QUESTION, send, seconds=TIME_LIMIT_SECONDS, max_tries=1)
    except TranscriberUnavailableError:
        if not has_list:
            return None
        raise
    models = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(models, list):
        raise TranscriberUnavailableError(f"{calls.host} answered the {QUESTION} without a list.")
    return frozenset(str(model["id"]) for model in models if isinstance(model, Mapping) and "id" in model)


class EndpointWatch:
    """Knows whether a service answers: asks it until it does, and again after a failure."""

    def __init__(
        self,
        client: AsyncOpenAI,
        calls: Calls,
        *,
        retry_seconds: float = 5.0,  # pause between two questions to a service that does not answer
    ) -> None:
        self._client = client
        self._calls = calls
        self._retry_seconds = retry_seconds
        self._asking = asyncio.Lock()
        self._failed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.is_ready = False
        self.problem: str | None = None

    def start(self) -> None:
        """Begin to ask, in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_asking())

    async def stop(self) -> None:
        """End the work in the background."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def ready(self) -> None:
        """Return at once where the service has answered; ask it otherwise.

        Raises:
            TranscriberUnavailableError: it does not answer as it should.
        """
        async with self._asking:
            if not self.is_ready:
                await self._ask()

    def note_failure(self, error: TranscriberUnavailableError) -> None:
        """Ask the service anew: it refused a request, or cannot be reached."""
        self.is_ready, self.problem = False, str(error)
        self._failed.set()

    async def _ask(self) -> None:
        try:
            await models_of(self._client, self._calls)
        except TranscriptionError as error:
            self.problem = str(error)
            raise TranscriberUnavailableError(str(error)) from None
        self.is_ready, self.problem = True, None

    async def _keep_asking(self) -> None:
        while True:
            try:
                await self.ready()
            except TranscriberUnavailableError as error:
                logger.warning(
                    "the service does not answer, asking it again",
                    extra={"error": str(error), "next_try_seconds": self._retry_seconds},
                )
                await asyncio.sleep(self._retry_seconds)
            else:
                await self._failed.wait()
                self._failed.clear()
