"""Speech engines: their names, models and capabilities."""

from dataclasses import dataclass

from domain.model.errors import TranscriberUnavailableError, UnsupportedOptionError
from domain.model.transcripts import TranscriptionOptions


@dataclass(frozen=True, slots=True)
class EngineDescription:
    """Capabilities of one engine with one model. What it cannot do is refused at the door."""

    name: str  # as in TRANSCRIBER
    model: str
    languages: frozenset[str] | None = None  # codes it accepts; None: any, the engine itself decides
    finds_language: bool = False
    takes_vocabulary: bool = False
    times_words: bool = False
    tells_speakers: bool = False

    def check(self, options: TranscriptionOptions) -> None:
        """Check that the engine can do what the caller asks for.

        Raises:
            UnsupportedOptionError: it cannot; the message names the option and what the engine can do.
        """
        if options.language is not None and not self.speaks(options.language):
            raise UnsupportedOptionError(
                f"The model {self.model} of {self.name} does not know the language {options.language!r}; "
                f"it knows {_listed(self.languages)}."
            )
        if options.vocabulary and not self.takes_vocabulary:
            raise UnsupportedOptionError(
                f"The model {self.model} of {self.name} takes no vocabulary; send the recording without it."
            )

    def check_setting(self, language: str | None) -> None:
        """Check the language of recordings whose callers name none.

        Raises:
            TranscriberUnavailableError: the model does not know it, so that no such recording can be right.
        """
        if language is not None and not self.speaks(language):
            raise TranscriberUnavailableError(
                f"TRANSCRIBER_LANGUAGE is {language!r}, which the model {self.model} does not know."
            )

    def speaks(self, language: str) -> bool:
        """Check whether the engine accepts a language."""
        return self.languages is None or language in self.languages


def _listed(languages: frozenset[str] | None) -> str:
    return ", ".join(sorted(languages or ()))
