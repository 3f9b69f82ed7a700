"""Parameters of an upload beside the recording: form fields or query parameters of the same names."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from domain.model.result_warnings import MAX_DETAIL_LENGTH, ResultWarning, WarningCode

FIELD_NAME = "file"
"""Form field of the recording."""

PARAMETERS: Mapping[str, Mapping[str, object]] = {}
"""The OpenAPI schema of each known parameter; a parameter that is listed here is read and described."""

Fields = Iterable[tuple[str, str]]
"""Names and values, as sent."""

_MAX_NAMES = 6
_MAX_NAME_LENGTH = 40


class UploadParameters(NamedTuple):
    """Values of the known parameters, and warnings that name the unknown ones."""

    values: Mapping[str, str]
    warnings: tuple[ResultWarning, ...]


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
