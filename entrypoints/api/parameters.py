"""Parameters of an upload beside the recording: form fields or query parameters of the same names."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from domain.model.result_warnings import MAX_DETAIL_LENGTH, ResultWarning, WarningCode
from domain.model.transcripts import (
    MAX_VOCABULARY_TERMS,
    Channels,
    Language,
    Term,
    Tracks,
    TranscriptionOptions,
    terms_of,
)
from entrypoints.api.problems import InvalidParameterError

FIELD_NAME = "file"
"""Form field of the recording."""
METADATA = "metadata"
"""Form field, or key, of the caller's own object, which jobs have."""

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
    "language": {
        **TypeAdapter(Language).json_schema(),
        "description": "The language that is spoken; without it the engine finds it, if it can."
        " A language that the model does not know is refused.",
        "example": "en",
    },
    "vocabulary": {
        "type": "array",
        "items": TypeAdapter(Term).json_schema(),
        "maxItems": MAX_VOCABULARY_TERMS,
        "description": "Names and product words that are likely to be spoken, in one value with commas or in"
        " several. An engine that takes none refuses them.",
        "example": ["Acme", "EventBridge"],
    },
}
"""The OpenAPI schema of each known parameter; a parameter that is listed here is read and described."""

Fields = Iterable[tuple[str, str]]
"""Names and values, as sent."""

_MAX_NAMES = 6
_MAX_NAME_LENGTH = 40
_MAX_DIGITS = 9


class UploadParameters(NamedTuple):
    """Values of the known parameters, and warnings that name the unknown ones."""

    values: Mapping[str, object]
    warnings: tuple[ResultWarning, ...]

    def transcription_options(self) -> TranscriptionOptions:
        """Return the options that the caller chose.

        Raises:
            InvalidParameterError: a value is not one of the parameter's.
        """
        try:
            return TranscriptionOptions.model_validate(self.values)
        except ValidationError as error:
            raise _invalid(error.errors()[0]) from error


def read_parameters(query: Fields, form: Fields, *, also: tuple[str, ...] = ()) -> UploadParameters:
    """Read the known parameters of an upload; a form field overrides a query parameter of its name.

    `also` names form fields that the caller of this function reads itself.
    """
    query, form = tuple(query), tuple(form)
    given = {name: _values(name, form) or _values(name, query) for name in PARAMETERS}
    known = {name: _value(name, values) for name, values in given.items() if values}
    warnings = (
        *_unknown("query parameters", query, PARAMETERS),
        *_unknown("form fields", form, (FIELD_NAME, *PARAMETERS, *also)),
    )
    return UploadParameters(known, warnings)


def read_json_parameters(
    query: Fields, body: Mapping[str, object], *, also: tuple[str, ...]
) -> UploadParameters:
    """Read the known parameters from a JSON object, where null counts as absent, or from the query.

    `also` names keys that the caller of this function reads itself.
    """
    from_query = read_parameters(query, ())
    given = {name: body[name] for name in PARAMETERS if body.get(name) is not None}
    if isinstance(terms := given.get("vocabulary"), str):
        given["vocabulary"] = terms_of([terms])
    unknown = _unknown("keys", [(name, "") for name in body], (*also, *PARAMETERS))
    return UploadParameters({**from_query.values, **given}, from_query.warnings + unknown)


def _values(wanted: str, fields: Fields) -> list[str]:
    return [value for name, value in fields if name == wanted]


def _value(name: str, values: list[str]) -> str | tuple[str, ...]:
    return terms_of(values) if name == "vocabulary" else values[-1]


def _invalid(details: ErrorDetails) -> InvalidParameterError:
    name = str(details["loc"][0])
    allowed = TranscriptionOptions.model_fields[name].description or _listed_values(name)
    return invalid_parameter(name, details["input"], allowed)


def invalid_parameter(name: str, value: object, allowed: str) -> InvalidParameterError:
    """Build the error of a parameter that has another value than the allowed ones."""
    given = "is missing" if value is None else f"cannot be {_shown(value)}"
    return InvalidParameterError(f"The parameter {name!r} {given}; it may be {allowed}.")


def whole_number(name: str, text: str | None, *, default: int, maximum: int) -> int:
    """Read a whole number from 1 to `maximum`; the default where the parameter is absent.

    Raises:
        InvalidParameterError: the value is no such number.
    """
    if text is None:
        return default
    is_short = len(text) <= _MAX_DIGITS and text.isascii() and text.isdigit()
    if not (is_short and 1 <= int(text) <= maximum):
        raise invalid_parameter(name, text, f"a whole number from 1 to {maximum}")
    return int(text)


def _shown(value: object) -> str:
    match value:
        case list() | tuple():
            return f"{len(value)} terms"
        case str():
            return repr(value[:_MAX_NAME_LENGTH])
        case _:
            return repr(value)[:_MAX_NAME_LENGTH]


def _listed_values(name: str) -> str:
    """List the values of an option that has an enumeration; not each error about it names them."""
    values: Any = TranscriptionOptions.model_fields[name].annotation
    *others, last = values
    return f"{', '.join(others)} or {last}"


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
