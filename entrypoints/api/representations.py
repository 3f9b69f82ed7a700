"""Representations of an answer: JSON, subtitles or text, as the caller accepts (RFC 9110, section 12)."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from domain.model.transcripts import Transcript
from domain.services.subtitles.formats import subrip, webvtt
from entrypoints.api.problems import NotAcceptableError
from entrypoints.api.schemas import BatchResponse
from entrypoints.api.uploads.header_values import parse_header_value

JSON = "application/json"
EVENT_STATUS_HEADER, WARNINGS_HEADER = "X-Event-Status", "X-Warnings"
"""Headers of answers that are no JSON, and so have no place for these in their content."""

_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')


def _text(answer: BatchResponse) -> str:
    return f"{answer.cleaned_transcript}\n" if answer.cleaned_transcript else ""


def _subtitles(write: Callable[[Transcript], str]) -> Callable[[BatchResponse], str]:
    return lambda answer: write(
        Transcript(duration_seconds=answer.duration_seconds, segments=answer.segments)
    )


WRITERS = {"text/plain": _text, "text/vtt": _subtitles(webvtt), "application/x-subrip": _subtitles(subrip)}
"""Functions that write an answer in another form than JSON."""
MEDIA_TYPES = (JSON, *WRITERS)
"""Forms of an answer; of those that a caller accepts as gladly as others, the first."""


class _Range(NamedTuple):
    """Element of the header `Accept`."""

    kind: str  # "*" for any, as `subtype`
    subtype: str
    weight: float

    def specificity(self, media_type: str) -> int | None:
        """Return how closely the range describes a type; None where it does not include it."""
        kind, _, subtype = media_type.partition("/")
        if self.kind not in {"*", kind} or self.subtype not in {"*", subtype}:
            return None
        return (self.kind != "*") + (self.subtype != "*")


def accepted_type(request: Request) -> str:
    """Choose one of `MEDIA_TYPES` by the header `Accept`; without one, or one that can be read, JSON.

    Raises:
        NotAcceptableError: the header allows none of them.
    """
    header = ",".join(request.headers.getlist("accept"))
    ranges = list(_ranges(header))
    weights = {media_type: _weight(media_type, ranges) for media_type in MEDIA_TYPES} if ranges else {JSON: 1}
    best = max(weights, key=lambda media_type: weights[media_type])
    if not weights[best]:
        raise NotAcceptableError(
            f"The header Accept allows none of the forms of the answer: {', '.join(MEDIA_TYPES)}."
        )
    return best


def represented(answer: BatchResponse, media_type: str) -> Response:
    """Build a response with an answer in one of `MEDIA_TYPES`."""
    if media_type == JSON:
        return Response(answer.model_dump_json(), media_type=JSON, headers={"Vary": "Accept"})
    headers = {
        "Vary": "Accept",
        EVENT_STATUS_HEADER: answer.event.status.value,
        WARNINGS_HEADER: ", ".join(dict.fromkeys(warning.code.value for warning in answer.warnings)),
    }
    return Response(
        WRITERS[media_type](answer),
        media_type=f"{media_type}; charset=utf-8",
        headers={name: value for name, value in headers.items() if value},
    )


def _ranges(header: str) -> Iterator[_Range]:
    """Read the elements of the header; those that cannot be read are left out."""
    for element in _ELEMENT.findall(header):
        try:
            name, parameters = parse_header_value(element)
            weight = float(parameters.get("q", 1))
        except ValueError:
            continue
        kind, slash, subtype = name.partition("/")
        if 0 <= weight <= 1 and (slash or kind == "*"):
            yield _Range(kind, subtype or "*", weight)


def _weight(media_type: str, ranges: list[_Range]) -> float:
    """Return the weight that the closest range gives to a type; 0 where no range includes it."""
    closest = ((range_.specificity(media_type), range_.weight) for range_ in ranges)
    return max(((near, weight) for near, weight in closest if near is not None), default=(0, 0.0))[1]
