"""Engines by name, with what they are loaded with."""

from pathlib import Path

import pytest

from adapters.speech.engines.canned import CannedEngine
from adapters.speech.engines.loading import ENGINES, EngineSettings, load_engine
from domain.model.errors import ConfigurationError
from tests.support.harness.workers import whisper


def test_canned_text_is_loaded_by_its_name() -> None:
    assert isinstance(load_engine(EngineSettings(name="canned")), CannedEngine)


@pytest.mark.speech
def test_an_engine_with_a_model_says_which_one_it_has_loaded() -> None:
    settings = whisper().engine
    assert settings is not None

    description = load_engine(settings).description

    assert (description.name, description.model) == ("faster-whisper", "tiny.en")
    assert description.languages == frozenset({"en"})
    assert description.times_words
    assert not description.finds_language


@pytest.mark.speech
def test_an_engine_without_its_model_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="needs the folder of a model"):
        load_engine(EngineSettings(name="faster-whisper"))


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=" or ".join(ENGINES)):
        load_engine(EngineSettings(name="pocketsphinx"))


def test_settings_survive_the_way_to_a_worker() -> None:
    settings = EngineSettings(name="faster-whisper", model="m", folder=Path("/models/ü"), threads=2)

    assert EngineSettings.model_validate_json(settings.model_dump_json()) == settings
