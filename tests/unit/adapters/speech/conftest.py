"""The default engine, loaded once for the tests of a module."""

import pytest

from adapters.speech.engines.engine import SpeechEngine
from adapters.speech.engines.loading import load_engine
from tests.support.harness.workers import whisper


@pytest.fixture(scope="module")
def engine() -> SpeechEngine:
    settings = whisper().engine
    assert settings is not None
    return load_engine(settings)
