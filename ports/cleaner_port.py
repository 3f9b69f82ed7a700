"""Port of transcript cleaners."""

from abc import abstractmethod
from typing import NamedTuple, Protocol

from domain.model.transcripts import Transcript


class CleanedTranscript(NamedTuple):
    """Readable text of a transcript, and how it came about."""

    text: str
    cleaner: str
    """The cleaner, as in the setting CLEANER."""
    fallbacks: int = 0
    """Segments that were cleaned by rules, because what a model made of them cannot be trusted."""


class CleanerPort(Protocol):
    """Turns raw transcripts into readable text (BatchCleanerService in the requirements).

    Adds no word. Keeps every number and every word that carries meaning. Cleaning a clean text changes
    nothing. Several transcripts may be cleaned at the same time. Cancelling a call ends its work.
    """

    @abstractmethod
    async def clean(self, transcript: Transcript, /) -> CleanedTranscript:
        """Return the readable text of a transcript; empty only where the recording has nothing but noise.

        A cleaner that depends on a service raises no error where it fails, but cleans by rules.
        """
        ...
