"""Port of transcript cleaners."""

from abc import abstractmethod
from typing import Protocol

from domain.model.transcripts import Transcript


class CleanerPort(Protocol):
    """Turns raw transcripts into readable text (BatchCleanerService in the requirements).

    Adds no word. Keeps every number and every word that carries meaning. Cleaning a clean text changes
    nothing. Safe to call from several threads.
    """

    @abstractmethod
    def clean(self, transcript: Transcript, /) -> str:
        """Return the readable text of a transcript; empty only where the recording has nothing but noise."""
        ...
