"""Base of speech engines: plain and synchronous, as the worker processes run them."""

from abc import ABC, abstractmethod

from domain.model.engines import EngineDescription
from domain.model.speech import HeardUnit
from ports.recogniser_port import Hints


class SpeechEngine(ABC):
    """Recognises one unit of speech at a time, in the calling thread.

    The same unit gives the same words, independent of earlier ones.
    """

    @property
    @abstractmethod
    def description(self) -> EngineDescription:
        """Name, model and capabilities."""
        ...

    @abstractmethod
    def recognise(self, samples: bytes, hints: Hints, /, *, again: bool = False) -> HeardUnit:
        """Recognise at most `MAX_UNIT_SECONDS` of speech: 16-bit mono samples at `SAMPLE_RATE`.

        `again`: the first answer contradicts the sound; recognise it with settings that are slower, and fail
        in other ways.
        """
        ...
