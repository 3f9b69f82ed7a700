"""Capabilities of engines: what one cannot do is refused, and the message says what it can."""

import pytest

from domain.model.engines import EngineDescription
from domain.model.errors import UnsupportedOptionError
from domain.model.transcripts import DEFAULT_OPTIONS, Channels, Tracks, TranscriptionOptions

SEPARATE = TranscriptionOptions(channels=Channels.SEPARATE, tracks=Tracks.ALL)
ENGLISH = EngineDescription(name="faster-whisper", model="tiny.en", languages=frozenset({"en"}))
TWO = EngineDescription(
    name="faster-whisper", model="tiny", languages=frozenset({"nl", "en"}), takes_vocabulary=True
)
ANY = EngineDescription(name="openai", model="whisper-1")


@pytest.mark.parametrize("engine", [ENGLISH, TWO, ANY], ids=lambda engine: engine.name)
@pytest.mark.parametrize("options", [DEFAULT_OPTIONS, SEPARATE, TranscriptionOptions(language="en")])
def test_what_an_engine_can_do_passes(engine: EngineDescription, options: TranscriptionOptions) -> None:
    engine.check(options)


def test_an_engine_without_a_list_of_languages_accepts_all() -> None:
    ANY.check(TranscriptionOptions(language="cy"))


def test_an_unknown_language_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnsupportedOptionError) as refusal:
        TWO.check(TranscriptionOptions(language="cy"))

    assert str(refusal.value) == (
        "The model tiny of faster-whisper does not know the language 'cy'; it knows en, nl."
    )


def test_an_engine_without_vocabulary_refuses_one() -> None:
    with pytest.raises(UnsupportedOptionError, match=r"tiny\.en of faster-whisper takes no vocabulary"):
        ENGLISH.check(TranscriptionOptions(vocabulary=("Acme",)))
    TWO.check(TranscriptionOptions(vocabulary=("Acme",)))
