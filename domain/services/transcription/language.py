"""Language of a recording: a vote of its units, weighted by how long and how surely each was heard."""

from collections import defaultdict

from domain.model.speech import HeardUnit, SpeechUnit

SECONDS_OF_A_VERDICT = 30.0
"""Speech after which the vote counts more than a unit that is not sure of its language."""
SURE = 0.8
"""Probability from which a unit's own language stands: speakers do change it."""


class LanguageVote:
    """Collects what the units of one recording were heard to be.

    Whisper hears a language per unit, and takes a mumbled one for Welsh. The language of the first 30 s is
    no better guide: meetings open in one language and go on in another.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._votes: defaultdict[str, float] = defaultdict(float)

    def add(self, unit: SpeechUnit, heard: HeardUnit) -> None:
        """Count a unit's language."""
        if heard.language is not None and heard.text.strip():
            self._seconds += unit.speech_seconds
            self._votes[heard.language] += unit.speech_seconds * _probability(heard)

    def contradicts(self, heard: HeardUnit) -> str | None:
        """Return the recording's language where a unit was heard as another, without being sure of it."""
        if self.language in {None, heard.language} or self._seconds < SECONDS_OF_A_VERDICT:
            return None
        return None if _probability(heard) >= SURE else self.language

    @property
    def language(self) -> str | None:
        """Return the language with the most votes; None before the first."""
        return max(self._votes, key=lambda language: self._votes[language], default=None)

    @property
    def probability(self) -> float | None:
        """Return the share of the votes in the seconds of speech."""
        if self.language is None:
            return None
        return round(min(self._votes[self.language] / max(self._seconds, 1e-9), 1.0), 3)

    @property
    def others(self) -> tuple[str, ...]:
        """List further languages in which a unit or more was heard."""
        return tuple(sorted(set(self._votes) - {self.language}))


def _probability(heard: HeardUnit) -> float:
    return 0.5 if heard.language_probability is None else min(max(heard.language_probability, 0.0), 1.0)
