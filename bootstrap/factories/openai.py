"""Factories of what speaks OpenAI's protocol; the SDK is imported when it is needed, which takes a second."""

from random import Random
from typing import TYPE_CHECKING

from adapters.cleaning.rules import RulesCleaner
from bootstrap.choices import TranscriptionFormat
from bootstrap.extras import require
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError
from domain.services.resilience.backoff import Backoff

if TYPE_CHECKING:
    from adapters.openai.access import OpenAiAccess
    from adapters.openai.cleaner import OpenAiCleaner
    from adapters.openai.models import Model
    from adapters.openai.recogniser import OpenAiRecogniser

_BACKOFF = Backoff(first_seconds=1.0, max_seconds=20.0, least=0.25)
_RANDOM = Random()  # noqa: S311 - spreads requests, keeps no secret


def pause_after(failures: int) -> float:
    """Return the seconds to wait after so many failures of a request in a row."""
    return _BACKOFF.delay(failures, _RANDOM)


def openai_access(settings: Settings, needed_by: str) -> "OpenAiAccess":
    """Describe the access to the service.

    `needed_by` is the setting that needs it, for messages.

    Raises:
        ConfigurationError: the SDK is not installed, or OpenAI's own service lacks its key.
    """
    require("openai", needed_by)
    from adapters.openai.access import OpenAiAccess  # noqa: PLC0415 - an extra, and slow to import

    key = settings.openai_api_key
    access = OpenAiAccess(settings.openai_base_url, None if key is None else key.get_secret_value())
    if access.is_openai and access.api_key is None:
        raise ConfigurationError(
            f"{needed_by} needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server that asks for no key."
        )
    return access


def openai_model(settings: Settings) -> "Model":
    """Describe the configured model of speech recognition."""
    from adapters.openai.models import ResponseFormat, model_named  # noqa: PLC0415 - an extra

    chosen = settings.openai_response_format
    is_chosen = chosen is not TranscriptionFormat.AUTO
    return model_named(settings.transcriber_model, ResponseFormat(chosen.value) if is_chosen else None)


def openai_recogniser(settings: Settings) -> "OpenAiRecogniser":
    """Build the recogniser, without starting it.

    Raises:
        ConfigurationError: the SDK is not installed, or the key is missing.
    """
    access = openai_access(settings, "TRANSCRIBER=openai")
    from adapters.openai.recogniser import OpenAiRecogniser  # noqa: PLC0415 - an extra, and slow to import

    return OpenAiRecogniser(
        access, openai_model(settings), requests=settings.openai_requests, pause=pause_after
    )


def cleaner_model(settings: Settings) -> str:
    """Return the model that cleans.

    Raises:
        ConfigurationError: none is configured; models of chats come and go too fast for a default.
    """
    if settings.cleaner_model is None:
        raise ConfigurationError(
            "CLEANER=openai needs CLEANER_MODEL, the name of a chat model of the service."
        )
    return settings.cleaner_model


def openai_cleaner(settings: Settings) -> "OpenAiCleaner":
    """Build the cleaner, which falls back to the rules.

    Raises:
        ConfigurationError: the SDK is not installed, or the key or the model is missing.
    """
    access, model = openai_access(settings, "CLEANER=openai"), cleaner_model(settings)
    from adapters.openai.cleaner import OpenAiCleaner  # noqa: PLC0415 - an extra, and slow to import

    return OpenAiCleaner(access, model, RulesCleaner(), requests=settings.openai_requests, pause=pause_after)
