"""The envelope in which the bus delivers an event: the body of a message, as consumers read it."""

import json
from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, from_json

from domain.model.errors import UnreadableMessageError
from domain.model.events.cloud_event import as_bus_envelope, is_cloud_event
from domain.model.events.erased import TranscriptErased
from domain.model.events.event import TEST_EVENT_LABEL, CompletedEvent, version_to_read
from domain.model.events.failed import BatchProcessingFailed
from domain.model.events.kinds import EventKind, kind_of
from domain.model.events.sent import SentEvent
from domain.model.events.version import SchemaVersion

MAX_SHOWN = 100
"""Characters of untrusted text from a message that an error shows."""
MAX_PLACES = 5


class EventEnvelope(NamedTuple):
    """An event as the bus delivered it."""

    event: SentEvent
    replay: str | None  # name of the replay that sent the event; None for the original delivery
    is_test: bool  # True for an event that only tests the route and is not for handlers
    version: str  # the version in the message; `event` has the version it was read as


class _Envelope(BaseModel):
    """The fields of the bus's envelope that consumers need; the replay name follows AWS's rules."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    source: str
    detail_type: str = Field(alias="detail-type")
    resources: tuple[str, ...] = ()
    replay_name: str | None = Field(default=None, alias="replay-name", pattern=r"^[.\-_A-Za-z0-9]{1,64}$")


class _CompletedEnvelope(_Envelope):
    detail: Annotated[CompletedEvent, Field(discriminator="version")]


class _FailedEnvelope(_Envelope):
    detail: BatchProcessingFailed


class _ErasedEnvelope(_Envelope):
    detail: TranscriptErased


_AnyEnvelope = _CompletedEnvelope | _FailedEnvelope | _ErasedEnvelope
_ENVELOPES: Mapping[EventKind, type[_AnyEnvelope]] = {
    EventKind.COMPLETED: _CompletedEnvelope,
    EventKind.FAILED: _FailedEnvelope,
    EventKind.ERASED: _ErasedEnvelope,
}


def parse_envelope(body: str, source: str, kind: EventKind = EventKind.COMPLETED) -> EventEnvelope:
    """Parse the body of a message as a consumer of one kind of events of `source`.

    A later minor version is read as the version known here, without its new keys.

    Raises:
        UnreadableMessageError: the body is no JSON, no envelope, from another source, of another type or of
            another major version, or breaks the schema. The message says which and where, and quotes no
            transcript.
    """
    try:
        envelope = _ENVELOPES[kind].model_validate_json(body)
    except ValidationError as error:
        return _second_look(body, source, kind, error)
    _check_origin({"source": envelope.source, "detail-type": envelope.detail_type}, source, kind)
    return _delivered(envelope, envelope.detail.version)


def _delivered(envelope: _AnyEnvelope, version: str) -> EventEnvelope:
    is_test = TEST_EVENT_LABEL in envelope.resources
    return EventEnvelope(envelope.detail, envelope.replay_name, is_test, version)


def _second_look(body: str, source: str, kind: EventKind, error: ValidationError) -> EventEnvelope:
    """Accept another form, or a later minor version; refuse all others, naming the coarsest fault first."""
    envelope = _object(body)
    if (inside := _envelope_inside(envelope)) is not None:
        return parse_envelope(inside, source, kind)
    _check_origin(envelope, source, kind)
    detail = envelope.get("detail")
    if not isinstance(detail, dict) or "version" not in detail:
        raise _breach(error)
    written = detail["version"]
    known = version_to_read(written, kind.versions)
    if known is None:
        raise UnreadableMessageError(
            f"its version is {_shown(written)}, which a newer consumer may read; this one reads "
            f"{' and '.join(map(str, kind.versions))}"
        )
    if str(known) == written:
        raise _breach(error)
    relabelled = {**envelope, "detail": {**detail, "version": str(known)}}
    return _delivered(_read_as(known, kind, relabelled), written)


def _read_as(known: SchemaVersion, kind: EventKind, envelope: Mapping[str, object]) -> _AnyEnvelope:
    try:
        return _ENVELOPES[kind].model_validate_json(json.dumps(envelope), extra="ignore")
    except ValidationError as error:
        raise _breach(error, known) from None


def _object(body: str) -> Mapping[str, object]:
    try:
        document = read_object(body)
    except ValueError as error:
        raise UnreadableMessageError(f"it is not JSON: {shorten(str(error), MAX_SHOWN)}") from None
    if document is None:
        raise UnreadableMessageError("it is JSON, but no object")
    return document


def read_envelope(body: str) -> Mapping[str, object] | None:
    """Parse a body in any of its forms as the bus's envelope; return None for JSON that is no object.

    The forms are the envelope of the bus, a CloudEvent, and SNS's notification around either.

    Raises:
        ValueError: the body, or the message in a notification, is not JSON.
    """
    document = read_object(body)
    inside = None if document is None else _envelope_inside(document)
    return document if inside is None else read_envelope(inside)


def _envelope_inside(document: Mapping[str, object]) -> str | None:
    """Return what a notification or a CloudEvent holds; None where the document is neither.

    SNS sends notifications to the queues of subscriptions without raw message delivery.
    """
    match document:
        case {"Type": "Notification", "Message": str(message)}:
            return message
    return json.dumps(as_bus_envelope(document)) if is_cloud_event(document) else None


def read_object(body: str) -> Mapping[str, object] | None:
    """Parse a JSON object; return None for JSON of another type.

    Raises:
        ValueError: the body is not JSON.
    """
    document = from_json(body, allow_inf_nan=False)
    return document if isinstance(document, dict) else None


def _check_origin(envelope: Mapping[str, object], source: str, kind: EventKind) -> None:
    for key, wanted in (("source", source), ("detail-type", kind.detail_type)):
        if key not in envelope:
            raise UnreadableMessageError(f"it is no envelope of the bus: {key} is missing")
        if envelope[key] != wanted:
            raise UnreadableMessageError(
                f"its {key} is {_shown(envelope[key])}, not {wanted!r}{_other_kind(envelope[key])}"
            )


def _other_kind(found: object) -> str:
    """Say which consumer reads events of a type that is known, but expected in another queue."""
    kind = kind_of(found) if isinstance(found, str) else None
    return f": a consumer of {kind} events reads it" if kind else ""


def _breach(error: ValidationError, read_as: SchemaVersion | None = None) -> UnreadableMessageError:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    places = [
        f"{_place(_location(each))} ({shorten(each['msg'], MAX_SHOWN)})" for each in details[:MAX_PLACES]
    ]
    more = f" and {len(details) - MAX_PLACES} more" if len(details) > MAX_PLACES else ""
    version = f", read as {read_as}," if read_as else ""
    return UnreadableMessageError(f"it{version} breaks the contract at {', '.join(places)}{more}")


def _location(details: ErrorDetails) -> tuple[int | str, ...]:
    """Return the place of the fault, without the name of an unknown key, which is the sender's text."""
    unknown = details["type"] == "extra_forbidden"
    return details["loc"][:-1] if unknown else details["loc"]


def _place(location: tuple[int | str, ...]) -> str:
    """Format a path such as `detail.data.raw_transcript`, without the version that pydantic adds to it."""
    tags = {str(version) for version in EventKind.COMPLETED.versions}
    path = ".".join(str(key) for i, key in enumerate(location) if i != 1 or key not in tags)
    return shorten(path or "the top", MAX_SHOWN)


def _shown(value: object) -> str:
    plain = isinstance(value, str | int | float | None)
    return shorten(repr(value), MAX_SHOWN) if plain else f"a {type(value).__name__}"


def shorten(text: str, limit: int) -> str:
    """Cut the text to `limit` characters, the last of them an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
