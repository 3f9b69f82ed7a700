"""Factories of redaction, and of the ports that it decorates; without it, each stays as it is."""

from adapters.redaction.rules import RulesRedactor
from bootstrap.choices import Redactor
from bootstrap.extras import require
from bootstrap.settings import Settings
from domain.services.redaction.redacted_speech import RedactedCleaner, RedactedTranscriber
from domain.services.redaction.redaction import Redaction
from ports.cleaner_port import CleanerPort
from ports.redactor_port import RedactorPort
from ports.transcriber_port import TranscriberPort


def redaction_for(settings: Settings) -> Redaction | None:
    """Build what redacts; None without a redactor.

    Raises:
        ConfigurationError: Presidio or its model is not installed.
    """
    if settings.redactor is Redactor.NONE:
        return None
    return Redaction(_redactor(settings), language=settings.redactor_language)


def _redactor(settings: Settings) -> RedactorPort:
    rules = RulesRedactor()
    if settings.redactor is Redactor.RULES:
        return rules
    require("presidio", "REDACTOR=presidio")
    from adapters.redaction.presidio import presidio_redactor  # noqa: PLC0415 - an extra, and slow to import

    return presidio_redactor(rules, settings.redactor_model, settings.redactor_language)


def redacted_transcriber(transcriber: TranscriberPort, redaction: Redaction | None) -> TranscriberPort:
    """Redact each transcript."""
    return transcriber if redaction is None else RedactedTranscriber(transcriber, redaction)


def redacted_cleaner(cleaner: CleanerPort, redaction: Redaction | None) -> CleanerPort:
    """Redact each cleaned text."""
    return cleaner if redaction is None else RedactedCleaner(cleaner, redaction)
