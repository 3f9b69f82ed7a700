"""How raw transcripts become readable."""

from abc import abstractmethod
from typing import Protocol

from domain.model.transcripts import Transcript


class CleanerPort(Protocol):
    """The requirements' BatchCleanerService: turns what was heard into what can be read.

    Adds no word. Keeps every number and every word that carries meaning. Cleaning what is clean changes
    nothing. Safe to call from several threads.
    """

    @abstractmethod
    def clean(self, transcript: Transcript, /) -> str:
        """The readable text of a transcript; empty only where nothing but noise was heard."""
        ...
