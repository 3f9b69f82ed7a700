"""Redaction of transcripts, of units on their way into a store, and of cleaned texts."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from domain.model.personal_data import PersonalData, PersonalDataKind
from domain.model.speech import HeardUnit
from domain.model.transcripts import Transcript
from domain.services.redaction.segments import redacted, with_markers
from ports.redactor_port import RedactorPort

logger = logging.getLogger(__name__)

_MARKERS = tuple(kind.marker for kind in PersonalDataKind)


class Redaction:
    """Replaces personal data by markers, in texts and in the words that line up with them.

    The log gets the number of findings by kind, and no text.
    """

    def __init__(self, redactor: RedactorPort, *, language: str) -> None:
        self._redactor = redactor
        self._language = language  # of what the engine knows no language of

    def of_transcript(self, transcript: Transcript) -> Transcript:
        """Redact a transcript; voices of different tracks and channels are searched each by itself."""
        counts: Counter[str] = Counter()
        find = self._counting(_language(transcript), counts)
        voices: defaultdict[tuple[int | None, int | None], list[int]] = defaultdict(list)
        for place, segment in enumerate(transcript.segments):
            voices[segment.track, segment.channel].append(place)
        segments = list(transcript.segments)
        for places in voices.values():
            for place, segment in zip(
                places, redacted([segments[each] for each in places], find), strict=True
            ):
                segments[place] = segment
        if not counts:
            return transcript
        logger.info("personal data redacted", extra={"redactions": dict(counts)})
        return transcript.model_copy(update={"segments": tuple(segments)})

    def of_unit(self, heard: HeardUnit) -> HeardUnit:
        """Redact what an engine heard in one unit: what begins before it or ends behind it is not seen."""
        counts: Counter[str] = Counter()
        segments = redacted(heard.segments, self._counting(heard.language, counts))
        return heard.model_copy(update={"segments": tuple(segments)}) if counts else heard

    def of_cleaned(self, text: str, transcript: Transcript) -> str:
        """Redact the cleaned text of a redacted transcript: cleaning may have joined what was apart.

        Digits beside a marker stay, as they do in the transcript, where they belong to another voice.
        """
        found = [
            each
            for each in self._redactor.find(text, _language(transcript) or self._language)
            if not any(marker in text[each.start : each.end] for marker in _MARKERS)
        ]
        if found:
            counts = Counter(each.kind.value for each in found)
            logger.info("personal data redacted in a cleaned transcript", extra={"redactions": dict(counts)})
        return with_markers(text, found)

    def _counting(
        self, language: str | None, counts: Counter[str]
    ) -> Callable[[str], Sequence[PersonalData]]:
        def find(text: str) -> Sequence[PersonalData]:
            found = self._redactor.find(text, language or self._language)
            counts.update(each.kind.value for each in found)
            return found

        return find


def _language(transcript: Transcript) -> str | None:
    return transcript.provenance.language if transcript.provenance else None
