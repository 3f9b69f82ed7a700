"""Parameters of an upload beside the recording: form fields or query parameters of the same names."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pydantic import ValidationError

from domain.model.result_warnings import MAX_DETAIL_LENGTH, ResultWarning, WarningCode
from domain.model.transcripts import Channels, Tracks, TranscriptionOptions
from entrypoints.api.problems import InvalidParameterError

FIELD_NAME = "file"
"""Form field of the recording."""

PARAMETERS: Mapping[str, Mapping[str, object]] = {
    "channels": {
        "type": "string",
        "enum": [choice.value for choice in Channels],
        "default": Channels.MIXED.value,
        "description": "separate: transcribe each channel by itself; segments then have a channel.",
    },
    "tracks": {
        "type": "string",
        "enum": [choice.value for choice in Tracks],
        "default": Tracks.ONE.value,
        "description": "all: transcribe each sound track by itself; segments then have a track."
        " one: transcribe the default track, or the first with sound.",
    },
}
"""The OpenAPI schema of each known parameter; a parameter that is listed here is read and described."""

Fields = Iterable[tuple[str, str]]
"""Names and values, as sent."""

_MAX_NAMES = 6
_MAX_NAME_LENGTH = 40


class UploadParameters(NamedTuple):
    """Values of the known parameters, and warnings that name the unknown ones."""

    values: Mapping[str, str]
    warnings: tuple[ResultWarning, ...]

    def transcription_options(self) -> TranscriptionOptions:
        """Return the options that the caller chose.

        Raises:
            InvalidParameterError: a value is not one of the parameter's.
        """
        try:
            return TranscriptionOptions.model_validate(self.values)
        except ValidationError as error:
            details = error.errors()[0]
            name, allowed = str(details["loc"][0]), details["ctx"]["expected"].replace("'", "")
            value = self.values[name][:_MAX_NAME_LENGTH]
            raise InvalidParameterError(
                f"The parameter {name!r} cannot be {value!r}; it may be {allowed}."
            ) from error


def read_parameters(query: Fields, form: Fields) -> UploadParameters:
    """Read the known parameters of an upload; a form field overrides a query parameter of its name."""
    query, form = tuple(query), tuple(form)
    known = {name: value for name, value in (*query, *form) if name in PARAMETERS}
    warnings = (
        *_unknown("query parameters", query, PARAMETERS),
        *_unknown("form fields", form, (FIELD_NAME, *PARAMETERS)),
    )
    return UploadParameters(known, warnings)


def _unknown(kind: str, fields: Fields, known: Iterable[str]) -> tuple[ResultWarning, ...]:
    """Warn of all unknown names of one kind at once."""
    names = dict.fromkeys(name for name, _ in fields if name not in known)
    if not names:
        return ()
    detail = f"unknown {kind} ignored (known: {', '.join(known) or 'none'}): {_listed(tuple(names))}"
    return (ResultWarning(code=WarningCode.UNKNOWN_PARAMETER, detail=detail[:MAX_DETAIL_LENGTH]),)


def _listed(names: tuple[str, ...]) -> str:
    listed = ", ".join(repr(name[:_MAX_NAME_LENGTH]) for name in names[:_MAX_NAMES])
    return f"{listed} and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else listed
