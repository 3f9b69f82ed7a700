"""Port of an engine that recognises speech unit by unit."""

from abc import abstractmethod
from typing import NamedTuple, Protocol

from domain.model.engines import EngineDescription
from domain.model.speech import HeardUnit, SpeechUnit


class Hints(NamedTuple):
    """Knowledge about the speech before it is recognised."""

    language: str | None = None
    """None: the engine finds it out."""
    vocabulary: tuple[str, ...] = ()
    """Names and product words that are likely to be spoken."""


class Slots(NamedTuple):
    """Places of an adapter in which work can be done at the same time."""

    ready: int
    """Places that have proved themselves on built-in speech since they started."""
    total: int
    problem: str | None = None
    """Why a place could not be started the last time; None where the last start succeeded."""


class RecogniserPort(Protocol):
    """Engine that turns one unit of speech into words, several units at the same time.

    The same unit with the same hints gives the same words, independent of earlier units. Units of several
    recordings share the places evenly. Cancelling a call ends its work.
    """

    @abstractmethod
    async def engine(self) -> EngineDescription:
        """Return what the engine is and what it can do; wait until it is loaded.

        Raises:
            TranscriberUnavailableError: it cannot be started.
        """
        ...

    @abstractmethod
    async def recognise(
        self, unit: SpeechUnit, hints: Hints, /, *, recording: object, again: bool = False
    ) -> HeardUnit:
        """Recognise one unit.

        Args:
            unit: at most `MAX_UNIT_SECONDS` of speech.
            hints: only those that the engine can use, see `EngineDescription`.
            recording: identity of the recording, for the even share.
            again: the first answer contradicts the sound; recognise it with other settings, and from a fresh
                state of the engine.

        Raises:
            TranscriptionError: the engine is at fault (see its subclasses).
        """
        ...

    @abstractmethod
    def slots(self) -> Slots:
        """Count the places, and those that are ready."""
        ...
