"""Redaction by the real Presidio; a pipeline with a list of names is in the place of a model from the web."""

import socket
from pathlib import Path

import pytest
import spacy
from spacy.pipeline import EntityRuler

from adapters.redaction.presidio import PresidioRedactor, presidio_redactor
from adapters.redaction.rules import RulesRedactor
from domain.model.errors import ConfigurationError
from domain.model.personal_data import PersonalDataKind
from tests.contracts.redactor_port import RedactorPortContract

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "names"
    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    assert isinstance(ruler, EntityRuler)
    ruler.add_patterns(
        [{"label": "PERSON", "pattern": "Ada Lovelace"}, {"label": "GPE", "pattern": "London"}]
    )
    pipeline.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def redactor(model: Path) -> PresidioRedactor:
    return presidio_redactor(RulesRedactor(), str(model), "en")


class TestPresidioItself(RedactorPortContract):
    @pytest.fixture
    def redactor(self, redactor: PresidioRedactor) -> PresidioRedactor:
        return redactor


def test_names_and_places_are_found_without_the_network(
    redactor: PresidioRedactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network is not needed")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    text = "Ada Lovelace lives in London, her mail is ada@example.com"

    found = [(each.kind, text[each.start : each.end]) for each in redactor.find(text, "en")]

    assert found == [
        (PersonalDataKind.PERSON, "Ada Lovelace"),
        (PersonalDataKind.LOCATION, "London"),
        (PersonalDataKind.EMAIL, "ada@example.com"),
    ]


def test_a_model_that_is_not_installed_is_not_fetched_but_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacy.cli.download", lambda *_: pytest.fail("it downloads"))

    with pytest.raises(ConfigurationError, match="run `python -m spacy download en_core_web_none`"):
        presidio_redactor(RulesRedactor(), "en_core_web_none", "en")


def test_a_model_of_another_language_is_refused(model: Path) -> None:
    with pytest.raises(ConfigurationError, match="a model of 'en', and REDACTOR_LANGUAGE is 'de'"):
        presidio_redactor(RulesRedactor(), str(model), "de")


def test_a_model_that_finds_no_names_is_refused(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")

    with pytest.raises(ConfigurationError, match="finds no names"):
        presidio_redactor(RulesRedactor(), str(tmp_path / "blank"), "en")


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        presidio_redactor(RulesRedactor(), str(tmp_path), "en")
