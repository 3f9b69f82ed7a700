"""Redaction by Presidio: names of people and places, on top of the rules."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from domain.model.errors import ConfigurationError
from domain.model.personal_data import PersonalData, PersonalDataKind
from ports.redactor_port import RedactorPort

if TYPE_CHECKING:
    from spacy.language import Language

ENTITIES = {"PERSON": PersonalDataKind.PERSON, "LOCATION": PersonalDataKind.LOCATION}
"""Entities that Presidio is asked for. Its patterns of numbers are not: the rules know them, and one of its
recognisers fetches a list of domains from the network."""

MIN_SCORE = 0.5
MAX_CHARACTERS = 20_000
"""Longest text that a model gets at once: it needs a kilobyte of memory for each character."""

_MARKERS = re.compile("|".join(re.escape(kind.marker) for kind in PersonalDataKind))


class Found(Protocol):
    """Entity that Presidio found (`presidio_analyzer.RecognizerResult`)."""

    @property
    def entity_type(self) -> str:
        """Return the kind, one of those that were asked for."""
        ...

    @property
    def start(self) -> int:
        """Return the place of the first character."""
        ...

    @property
    def end(self) -> int:
        """Return the place behind the last one."""
        ...


class Analyzer(Protocol):
    """Presidio's engine (`presidio_analyzer.AnalyzerEngine`), as far as it is used."""

    def analyze(
        self, *, text: str, language: str, entities: list[str], score_threshold: float
    ) -> Iterable[Found]:
        """Return the entities of a text, in any order; they may overlap."""
        ...


class PresidioRedactor(RedactorPort):
    """Adds what Presidio finds to what the rules find; in other languages than its model's, rules alone."""

    def __init__(self, rules: RedactorPort, analyzer: Analyzer, *, language: str) -> None:
        self._rules = rules
        self._analyzer = analyzer
        self._language = language
        self._turn = Lock()  # spaCy promises nothing about several threads

    def find(self, text: str, language: str | None, /) -> Sequence[PersonalData]:
        """Find by rules, then by Presidio in what is left."""
        found = self._rules.find(text, language)
        if language not in {None, self._language}:
            return found
        taken = sorted([*found, *_markers(text)])
        with self._turn:
            return sorted([*found, *_apart(self._entities(text), taken)])

    def _entities(self, text: str) -> Iterator[PersonalData]:
        for begin, part in _parts(text):
            for each in self._analyzer.analyze(
                text=part, language=self._language, entities=list(ENTITIES), score_threshold=MIN_SCORE
            ):
                yield PersonalData(begin + each.start, begin + each.end, ENTITIES[each.entity_type])


def _markers(text: str) -> Iterator[PersonalData]:
    for match in _MARKERS.finditer(text):
        yield PersonalData(match.start(), match.end(), PersonalDataKind.NUMBER)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Cut a long text at its spaces."""
    begin = 0
    while begin < len(text):
        end = begin + MAX_CHARACTERS
        if end < len(text):
            end = text.rfind(" ", begin + 1, end) if " " in text[begin + 1 : end] else end
        yield begin, text[begin:end]
        begin = end


def _apart(entities: Iterable[PersonalData], taken: Sequence[PersonalData]) -> Iterator[PersonalData]:
    """Yield entities that overlap neither each other nor what is taken; one that runs into it is cut."""
    ends = [each.end for each in taken]
    behind = 0
    for start, end, kind in sorted(entities):
        following = taken[place].start if (place := bisect_right(ends, start)) < len(taken) else end
        if behind <= start < following:
            behind = min(end, following)
            yield PersonalData(start, behind, kind)


def presidio_redactor(rules: RedactorPort, model: str, language: str) -> PresidioRedactor:
    """Load Presidio with a spaCy model: its name, or its folder. Nothing is fetched from the network.

    Raises:
        ConfigurationError: the model is not installed, or is none of names in this language.
    """
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: PLC0415 - an extra, and slow
    from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: PLC0415 - same
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer  # noqa: PLC0415 - same

    engine = SpacyNlpEngine(models=[{"lang_code": language, "model_name": model}])
    loaded = {language: loaded_model(model, language)}
    engine.nlp = loaded  # type: ignore[assignment]  # None until it loads; its own way of loading downloads
    recognizer = SpacyRecognizer(supported_language=language, supported_entities=list(ENTITIES))
    registry = RecognizerRegistry(recognizers=[recognizer], supported_languages=[language])
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])
    return PresidioRedactor(rules, analyzer, language=language)


def loaded_model(model: str, language: str) -> "Language":
    """Load a spaCy model from this machine.

    Raises:
        ConfigurationError: it is not there, cannot be read, or does not find names in this language.
    """
    import spacy  # noqa: PLC0415 - an extra, and slow to import

    if not (spacy.util.is_package(model) or Path(model).is_dir()):
        raise ConfigurationError(
            f"REDACTOR_MODEL={model!r} is not installed: run `python -m spacy download {model}`, or name the"
            " folder of a model."
        )
    try:
        loaded = spacy.load(model)
    except (OSError, ValueError) as error:
        message = str(error).partition("\n")[0]
        raise ConfigurationError(f"REDACTOR_MODEL={model!r} cannot be loaded: {message}") from error
    if loaded.lang != language:
        raise ConfigurationError(
            f"REDACTOR_MODEL={model!r} is a model of {loaded.lang!r}, and REDACTOR_LANGUAGE is {language!r}."
        )
    if not any("doc.ents" in loaded.get_pipe_meta(name).assigns for name in loaded.pipe_names):
        raise ConfigurationError(f"REDACTOR_MODEL={model!r} finds no names: it has no part for entities.")
    return loaded
