"""Events of a given size."""

from domain.model.events.event import BatchProcessingCompleted
from tests.support.samples.factories import an_event

WORDS = "so you should have it by tomorrow afternoon "
ENVELOPE_BYTES = len(an_event(raw_transcript="", cleaned_transcript="").to_json())


def event_of(size: int) -> BatchProcessingCompleted:
    """Return an event whose JSON has about `size` bytes, half of them in each transcript."""
    length = max(size - ENVELOPE_BYTES, 2) // 2
    text = (WORDS * (length // len(WORDS) + 1))[:length]
    return an_event(raw_transcript=text, cleaned_transcript=text)
