"""Warnings about a result: what its caller should know although the request succeeded."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

MAX_DETAIL_LENGTH = 500


class WarningCode(StrEnum):
    """Kinds of warnings; programs decide by the code, people read the detail."""

    TENANT_REPLACED = "tenant-replaced"
    TENANT_GENERATED = "tenant-generated"
    INTERACTION_ID_REPLACED = "interaction-id-replaced"
    UNKNOWN_PARAMETER = "unknown-parameter"
    LENGTH_DIFFERS = "length-differs"
    SEVERAL_TRACKS = "several-tracks"
    NO_WORDS_HEARD = "no-words-heard"
    SEVERAL_LANGUAGES = "several-languages"


class ResultWarning(BaseModel):
    """One fact that limits a result, such as a replaced tenant."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    code: WarningCode
    detail: str = Field(max_length=MAX_DETAIL_LENGTH)  # one sentence that names the object and what to do
