"""Speech recognition by a service that speaks OpenAI's protocol."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from typing import Any

from openai import Omit, omit

from adapters.fair_queue import FairQueue
from adapters.flac import CONTENT_TYPE, SUFFIX, encode
from adapters.openai.access import OpenAiAccess
from adapters.openai.answers import heard_in
from adapters.openai.calls import Answer, Calls
from adapters.openai.endpoint import EndpointWatch
from adapters.openai.models import Model, ResponseFormat, VocabularyField
from domain.model.engines import EngineDescription
from domain.model.errors import TranscriberCrashedError, TranscriberUnavailableError
from domain.model.speech import BYTES_PER_SAMPLE, SAMPLE_RATE, HeardUnit, SpeechUnit
from ports.recogniser_port import Hints, RecogniserPort, Slots

logger = logging.getLogger(__name__)

LEAST_TIME_LIMIT_SECONDS = 120.0
MIN_BYTES = SAMPLE_RATE // 2 * BYTES_PER_SAMPLE
"""Shorter units get silence behind them: OpenAI refuses sound below a tenth of a second."""
SECONDS_PER_SECOND = 10.0
"""Time limit for a second of sound: a server of one's own may work on a CPU, and have a queue."""


def time_limit(unit: SpeechUnit) -> float:
    """Return the seconds that the answer for a unit may take; no constant fits all lengths."""
    return max(LEAST_TIME_LIMIT_SECONDS, SECONDS_PER_SECOND * unit.seconds)


class OpenAiRecogniser(RecogniserPort):
    """Sends each unit as FLAC, a bounded number at a time; recordings take turns.

    A request that fails for the moment is sent again within the unit's time limits. The second try of a unit
    asks for its text alone, without vocabulary: servers lose words together with times, and repeat what they
    are told to expect.
    """

    def __init__(
        self,
        access: OpenAiAccess,
        model: Model,
        *,
        requests: int,  # that may be sent at the same time
        pause: Callable[[int], float],  # seconds to wait after so many failures of a request in a row
        time_limit: Callable[[SpeechUnit], float] = time_limit,  # seconds
    ) -> None:
        self._access = access
        self._model = model
        self._requests = requests
        self._time_limit = time_limit
        self._client = access.client()
        self._calls = Calls(access.host, pause)
        self._queue = FairQueue(range(requests))
        self._watch = EndpointWatch(self._client, self._calls)

    def start(self) -> None:
        """Ask the service whether it answers, in the background; warn of a model that ends."""
        if self._access.is_openai and (warning := self._model.ends_warning(date.today())):  # noqa: DTZ011 - the operator's day
            logger.warning(warning)
        self._watch.start()

    async def stop(self) -> None:
        """Close all connections, for good."""
        await self._watch.stop()
        await self._client.close()

    async def engine(self) -> EngineDescription:
        """Return what the model can do, once the service has answered."""
        await self._watch.ready()
        return self._model.description

    async def recognise(
        self, unit: SpeechUnit, hints: Hints, /, *, recording: object, again: bool = False
    ) -> HeardUnit:
        """Wait for the recording's turn, and have the unit recognised."""
        async with self._queue.turn(recording):
            flac = await asyncio.to_thread(encode, unit.samples.ljust(MIN_BYTES, b"\0"))
            try:
                answer = await self._answer(flac, self._time_limit(unit), hints, again=again)
            except TranscriberUnavailableError as error:
                self._watch.note_failure(error)
                raise
        heard = heard_in(answer, unit)
        if heard is None:
            raise TranscriberCrashedError(
                f"{self._access.host} answered the {self._operation} without a text."
            )
        return heard

    def slots(self) -> Slots:
        """Count the requests that may be sent; none of them is ready while the service does not answer."""
        return Slots(
            ready=self._requests if self._watch.is_ready else 0,
            total=self._requests,
            problem=self._watch.problem,
        )

    @property
    def _operation(self) -> str:
        return f"transcription with {self._model.name}"

    async def _answer(self, flac: bytes, seconds: float, hints: Hints, *, again: bool) -> object:
        language, languages = self._languages(hints.language)
        keywords, prompt = (omit, omit) if again else self._vocabulary(hints.vocabulary)
        kind = ResponseFormat.JSON if again else self._model.response_format
        times: list[Any] | Omit = ["word", "segment"] if kind is ResponseFormat.VERBOSE_JSON else omit

        async def send() -> Answer:
            return await self._client.audio.transcriptions.with_raw_response.create(
                file=(f"unit{SUFFIX}", flac, CONTENT_TYPE),
                model=self._model.name,
                response_format=kind.value,
                language=language,
                languages=languages,
                keywords=keywords,
                prompt=prompt,
                timestamp_granularities=times,
                timeout=seconds,
            )

        return await self._calls.answer(self._operation, send, seconds=seconds)

    def _languages(self, language: str | None) -> tuple[str | Omit, list[str] | Omit]:
        """Return the values of `language` and `languages`, of which a request may have one."""
        if language is None:
            return omit, omit
        return (omit, [language]) if self._model.takes_several_languages else (language, omit)

    def _vocabulary(self, terms: tuple[str, ...]) -> tuple[list[str] | Omit, str | Omit]:
        """Return the values of `keywords` and `prompt`, of which a model takes one at most."""
        cleaned = list(dict.fromkeys(filter(None, map(keyword, terms))))
        if not cleaned or self._model.vocabulary_field is None:
            return omit, omit
        if self._model.vocabulary_field is VocabularyField.KEYWORDS:
            return cleaned, omit
        return omit, ", ".join(cleaned)


def keyword(term: str) -> str:
    """Clean one term: a line break, "<" or ">" in one of them has the whole request refused."""
    kept = "".join(letter if letter.isprintable() and letter not in "<>" else " " for letter in term)
    return " ".join(kept.split())
