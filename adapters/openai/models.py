"""Models of speech recognition behind OpenAI's protocol, and what each can do (docs/engines.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from domain.model.engines import EngineDescription

DEFAULT_MODEL = "gpt-transcribe"
END_OF_OLD_MODELS = date(2027, 2, 26)
"""Day on which OpenAI ends all its models of speech recognition but `gpt-transcribe`."""


class ResponseFormat(StrEnum):
    """Format of an answer."""

    JSON = "json"  # text alone
    VERBOSE_JSON = "verbose_json"  # segments and words with times
    DIARIZED_JSON = "diarized_json"  # segments with times


class VocabularyField(StrEnum):
    """Field of a request that takes the vocabulary."""

    KEYWORDS = "keywords"  # one term each
    PROMPT = "prompt"  # all in one text


@dataclass(frozen=True, slots=True)
class Model:
    """Abilities of one model; a model that is not in the table gets what every server understands."""

    name: str
    response_format: ResponseFormat = ResponseFormat.JSON
    vocabulary_field: VocabularyField | None = None
    takes_several_languages: bool = False  # in the field `languages`, and none in `language`
    ends: date | None = None  # at OpenAI; other servers may serve a model of the same name for ever

    @property
    def description(self) -> EngineDescription:
        """Return the abilities in the words of the domain.

        Speakers are not among them: a service tells them apart within one unit, and names those of the
        next one anew.
        """
        return EngineDescription(
            name="openai",
            model=self.name,
            finds_language=True,
            takes_vocabulary=self.vocabulary_field is not None,
            times_words=self.response_format is ResponseFormat.VERBOSE_JSON,
        )

    def ends_warning(self, today: date) -> str | None:
        """Return a warning that OpenAI ends the model, or has ended it; None where it does not."""
        if self.ends is None:
            return None
        verb = "ends" if today < self.ends else "ended"
        return f"OpenAI {verb} the model {self.name} on {self.ends:%-d %B %Y}: use {DEFAULT_MODEL} instead"


_WHISPER = Model("whisper", ResponseFormat.VERBOSE_JSON, VocabularyField.PROMPT)
_GPT_4O = Model("gpt-4o", vocabulary_field=VocabularyField.PROMPT, ends=END_OF_OLD_MODELS)

MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        Model(DEFAULT_MODEL, vocabulary_field=VocabularyField.KEYWORDS, takes_several_languages=True),
        replace(_GPT_4O, name="gpt-4o-transcribe"),
        replace(_GPT_4O, name="gpt-4o-mini-transcribe"),
        replace(_GPT_4O, name="gpt-4o-mini-transcribe-2025-12-15"),
        Model("gpt-4o-transcribe-diarize", ResponseFormat.DIARIZED_JSON, ends=END_OF_OLD_MODELS),
        replace(_WHISPER, name="whisper-1", ends=END_OF_OLD_MODELS),
        replace(_WHISPER, name="whisper-large-v3"),  # Groq's, as the next
        replace(_WHISPER, name="whisper-large-v3-turbo"),
    )
}


def model_named(name: str, response_format: ResponseFormat | None = None) -> Model:
    """Find a model, or assume the least of one that is unknown.

    Args:
        name: as the service knows it.
        response_format: asked for in any case: only the operator knows what a server of one's own can do.
    """
    model = MODELS.get(name, Model(name))
    if response_format is None or response_format is model.response_format:
        return model
    takes_prompt = response_format is ResponseFormat.VERBOSE_JSON
    field = model.vocabulary_field or (VocabularyField.PROMPT if takes_prompt else None)
    return replace(model, response_format=response_format, vocabulary_field=field)
