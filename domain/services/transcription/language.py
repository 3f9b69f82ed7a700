"""Language of a recording: a vote of its units, weighted by how long and how surely each was heard."""

from collections import defaultdict

from domain.model.speech import HeardUnit, SpeechUnit

SECONDS_OF_A_VERDICT = 30.0
"""Speech after which the vote counts more than a unit that is not sure of its language."""
SURE = 0.6
"""Probability from which a unit's own language stands: speakers do change it."""


class LanguageVote:
    """Collects what the units of one recording were heard to be.

    Whisper hears a language per unit, and takes a mumbled one for Welsh. The language of the first 30 s is
    no better guide: meetings open in one language and go on in another. So a unit is overruled only where it
    differs from the recording and from the unit before it, and is less than `SURE` of itself.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._votes: defaultdict[str, float] = defaultdict(float)
        self._spoken: set[str] = set()  # languages of the units that were not overruled
        self._latest: str | None = None  # as the unit before was heard
        self._tells_probability = False  # the engine, of some unit

    def decide(self, unit: SpeechUnit, heard: HeardUnit) -> str | None:
        """Count the language of the next unit.

        Returns the recording's language, in which the unit is to be recognised again, where it was heard as
        another by mistake; None where its own language stands.
        """
        if heard.language is None or not heard.text.strip():
            return None
        overruled_by = self.language if self._is_mistaken(heard) else None
        self._seconds += unit.speech_seconds
        self._votes[heard.language] += unit.speech_seconds * _probability(heard)
        self._latest = heard.language
        self._tells_probability |= heard.language_probability is not None
        if overruled_by is None:
            self._spoken.add(heard.language)
        return overruled_by

    @property
    def language(self) -> str | None:
        """Return the language with the most votes; None before the first."""
        return max(self._votes, key=lambda language: self._votes[language], default=None)

    @property
    def probability(self) -> float | None:
        """Return the share of the votes in the seconds of speech; None where the engine tells none."""
        if self.language is None or not self._tells_probability:
            return None
        return round(min(self._votes[self.language] / max(self._seconds, 1e-9), 1.0), 3)

    @property
    def others(self) -> tuple[str, ...]:
        """List further languages in which a unit or more was recognised."""
        return tuple(sorted(self._spoken - {self.language}))

    def _is_mistaken(self, heard: HeardUnit) -> bool:
        is_alone = heard.language not in {self.language, self._latest}
        return is_alone and self._seconds >= SECONDS_OF_A_VERDICT and _probability(heard, untold=1.0) < SURE


def _probability(heard: HeardUnit, *, untold: float = 0.5) -> float:
    return untold if heard.language_probability is None else min(max(heard.language_probability, 0.0), 1.0)
