"""Port of what finds personal data in transcripts."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from domain.model.personal_data import PersonalData


class RedactorPort(Protocol):
    """Finds personal data in speech that was written down, by a person or by an engine.

    A text whose findings are replaced by their markers has no further ones. Takes time in proportion to the
    text, for every text. Several texts may be searched at the same time, from several threads.
    """

    @abstractmethod
    def find(self, text: str, language: str | None, /) -> Sequence[PersonalData]:
        """Return what is to be redacted, in order, without overlaps; a marker is no finding by itself.

        A number that lies beside the marker of a number is taken for a part of it: an earlier search saw only
        that far.

        Args:
            text: words, separated by white space.
            language: code of the language of the text; None where it is not known.
        """
        ...
