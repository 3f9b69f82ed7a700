"""Settings of redaction."""

from pydantic import Field

from bootstrap.choices import Redactor
from bootstrap.settings.group import SettingsGroup
from domain.model.transcripts import Language


class RedactionSettings(SettingsGroup):
    """Redactor, which finds personal data in transcripts, and the model that it loads."""

    redactor: Redactor = Redactor.NONE
    redactor_language: Language = Field(
        default="en", description="the code of a language in small letters, such as en"
    )
    redactor_model: str = Field(default="en_core_web_sm", min_length=1)
