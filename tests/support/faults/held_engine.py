"""An engine that answers only when a test lets it: jobs of other processes stay at work."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Semaphore

import numpy as np

from tests.support.openai.forms import TranscriptionRequest
from tests.support.openai.server import KEY, OpenAiServer, Reply, openai_server, transcribed
from tests.support.samples.recordings import SAMPLE_RATE, Samples, speech

HELD_SECONDS = 600.0
MANY = 1000
"""More requests than wait at the same time."""
UNITS_SECONDS = 70


class HeldEngine:
    """Engine that answers as many requests as a test has let go, each once."""

    def __init__(self, server: OpenAiServer, free: int) -> None:
        self._server = server
        self._permits = Semaphore(free)
        self._released = Event()
        server.transcribe = self._answer

    @property
    def environ(self) -> dict[str, str]:
        """Variables of a process that uses the engine, one unit after the other."""
        return {
            "TRANSCRIBER": "openai",
            "TRANSCRIBER_MODEL": "whisper-1",
            "OPENAI_BASE_URL": self._server.url,
            "OPENAI_API_KEY": KEY,
            "OPENAI_REQUESTS": "1",
        }

    @property
    def asked(self) -> int:
        """Number of requests so far."""
        return len(self._server.requests)

    def let_go(self, count: int) -> None:
        """Answer so many requests more."""
        self._permits.release(count)

    def release(self) -> None:
        """Answer all requests from now on."""
        self._released.set()
        self._permits.release(MANY)

    def _answer(self, request: TranscriptionRequest) -> Reply:
        if not self._released.is_set():
            self._permits.acquire(timeout=HELD_SECONDS)
        return transcribed(request)


@contextmanager
def held_engine(*, free: int = 0) -> Iterator[HeldEngine]:
    """Run an engine that holds all requests but the first `free` ones."""
    with openai_server() as server:
        engine = HeldEngine(server, free)
        try:
            yield engine
        finally:
            engine.release()


def long_speech() -> Samples:
    """Return speech of some units."""
    return np.resize(speech(), UNITS_SECONDS * SAMPLE_RATE)
